/*
 * parquet_thrift: the compact protocol's fields, numbers and lists. See parquet_thrift.h.
 */
#include "export/parquet_thrift.h"

#include "lib/invariant.h"

enum { TYPE_TRUE = 1, TYPE_FALSE = 2, TYPE_I16 = 4, TYPE_I64 = 6, TYPE_LIST = 9 };

static void add_varint(struct parquet_thrift *thrift, uint64_t value)
{
    parquet_buffer_add_varint(thrift->out, thrift->memory, value);
}

/* Numbers near zero are short whatever their sign: 0, -1, 1, -2 become 0, 1, 2, 3. */
static void add_number(struct parquet_thrift *thrift, int64_t value)
{
    add_varint(thrift, (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0));
}

static void add_field(struct parquet_thrift *thrift, int id, int type)
{
    int delta = id - thrift->last[thrift->depth];
    INVARIANT(delta > 0 && delta < 16);
    thrift->last[thrift->depth] = id;
    parquet_buffer_add_byte(thrift->out, thrift->memory, (unsigned)(delta << 4 | type));
}

void parquet_thrift_begin(struct parquet_thrift *thrift)
{
    thrift->depth++;
    INVARIANT(thrift->depth < PARQUET_THRIFT_DEPTH);
    thrift->last[thrift->depth] = 0;
}

void parquet_thrift_begin_field(struct parquet_thrift *thrift, int id)
{
    add_field(thrift, id, PARQUET_THRIFT_STRUCT);
    parquet_thrift_begin(thrift);
}

void parquet_thrift_end(struct parquet_thrift *thrift)
{
    INVARIANT(thrift->depth > 0);
    thrift->depth--;
    parquet_buffer_add_byte(thrift->out, thrift->memory, 0);
}

void parquet_thrift_bool(struct parquet_thrift *thrift, int id, bool value)
{
    add_field(thrift, id, value ? TYPE_TRUE : TYPE_FALSE);
}

void parquet_thrift_i16(struct parquet_thrift *thrift, int id, int16_t value)
{
    add_field(thrift, id, TYPE_I16);
    add_number(thrift, value);
}

void parquet_thrift_i32(struct parquet_thrift *thrift, int id, int32_t value)
{
    add_field(thrift, id, PARQUET_THRIFT_I32);
    add_number(thrift, value);
}

void parquet_thrift_i64(struct parquet_thrift *thrift, int id, int64_t value)
{
    add_field(thrift, id, TYPE_I64);
    add_number(thrift, value);
}

void parquet_thrift_binary(struct parquet_thrift *thrift, int id, const char *bytes, size_t length)
{
    add_field(thrift, id, PARQUET_THRIFT_BINARY);
    parquet_thrift_element_binary(thrift, bytes, length);
}

void parquet_thrift_list(struct parquet_thrift *thrift, int id, enum parquet_thrift_type type, uint32_t count)
{
    add_field(thrift, id, TYPE_LIST);
    if (count < 15) {
        parquet_buffer_add_byte(thrift->out, thrift->memory, count << 4 | (unsigned)type);
        return;
    }
    parquet_buffer_add_byte(thrift->out, thrift->memory, 0xf0u | (unsigned)type);
    add_varint(thrift, count);
}

void parquet_thrift_element_i32(struct parquet_thrift *thrift, int32_t value)
{
    add_number(thrift, value);
}

void parquet_thrift_element_binary(struct parquet_thrift *thrift, const char *bytes, size_t length)
{
    add_varint(thrift, length);
    parquet_buffer_add(thrift->out, thrift->memory, bytes, length);
}

void parquet_thrift_empty(struct parquet_thrift *thrift, int id)
{
    parquet_thrift_begin_field(thrift, id);
    parquet_thrift_end(thrift);
}
