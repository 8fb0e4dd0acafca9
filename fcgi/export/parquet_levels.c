/*
 * parquet_levels: the hybrid encoder. See parquet_levels.h.
 */
#include "export/parquet_levels.h"

#define GROUP 8u
#define PACKED_MOST (63u * GROUP) /* so that a packed run's header is one byte: groups << 1 | 1 */

/* Appends `count` times a number to the packed run, opening one where none is. They do not go beyond a group. */
static void pack(struct parquet_levels *levels, struct parquet_memory *memory, uint32_t value, unsigned count)
{
    /* by width: a number times this is that number eight times */
    static const uint64_t eight[] = {0,
                                     0xff,
                                     0x5555,
                                     0x249249,
                                     0x11111111,
                                     UINT64_C(0x0842108421),
                                     UINT64_C(0x041041041041),
                                     UINT64_C(0x02040810204081)};
    unsigned width = levels->width;
    unsigned most = width < 8 ? GROUP : 1; /* at once: with what is pending they fit 64 bits */
    /* a header, then at most seven pending bits and all of the numbers */
    if (!parquet_buffer_room(&levels->out, memory, 1 + (count * width + 7) / 8 + sizeof levels->bits))
        return;
    if (levels->packed == 0) {
        levels->header = levels->out.length;
        levels->out.data[levels->out.length++] = 0;
    }
    levels->packed = (uint16_t)(levels->packed + count);
    while (count > 0) {
        unsigned taken = count < most ? count : most;
        uint64_t numbers = most == 1 ? value : value * eight[width] & ((UINT64_C(1) << taken * width) - 1);
        levels->bits |= numbers << levels->bit_count;
        unsigned bits = levels->bit_count + taken * width;
        uint64_t little = htole64(levels->bits);
        memcpy(levels->out.data + levels->out.length, &little, sizeof little);
        levels->out.length += bits / 8;
        levels->bits >>= bits & ~7u; /* below 64: seven pending, and 56 or one number */
        levels->bit_count = (uint8_t)(bits % 8);
        count -= taken;
    }
}

/* Ends the packed run, whose groups are full. */
static void close_packed(struct parquet_levels *levels)
{
    if (levels->packed != 0 && levels->header < levels->out.length)
        levels->out.data[levels->header] = (char)(levels->packed / GROUP << 1 | 1);
    levels->packed = 0;
}

static void repeat(struct parquet_levels *levels, struct parquet_memory *memory)
{
    close_packed(levels);
    parquet_buffer_add_varint(&levels->out, memory, levels->run << 1);
    for (unsigned shift = 0; shift < levels->width; shift += 8)
        parquet_buffer_add_byte(&levels->out, memory, levels->value >> shift & 0xff);
    levels->run = 0;
}

void parquet_levels_turn(struct parquet_levels *levels, struct parquet_memory *memory, uint32_t value, uint64_t count)
{
    unsigned open = levels->packed % GROUP;
    if (open != 0 && levels->run > 0) {
        /* a group that is begun must be filled before anything else can follow */
        unsigned room = GROUP - open;
        unsigned taken = levels->run < room ? (unsigned)levels->run : room;
        pack(levels, memory, levels->value, taken);
        levels->run -= taken;
    }
    if (levels->run >= GROUP) {
        repeat(levels, memory);
    } else if (levels->run > 0) {
        if (levels->packed == PACKED_MOST)
            close_packed(levels);
        pack(levels, memory, levels->value, (unsigned)levels->run);
    }
    levels->value = value;
    levels->run = count;
}

void parquet_levels_end(struct parquet_levels *levels, struct parquet_memory *memory)
{
    if (levels->packed % GROUP == 0 && levels->run > 0)
        repeat(levels, memory);
    parquet_levels_turn(levels, memory, 0, 0);
    /* readers know how many numbers there are and leave what fills the last group */
    if (levels->packed % GROUP != 0)
        pack(levels, memory, 0, GROUP - levels->packed % GROUP);
    close_packed(levels);
}

void parquet_levels_reset(struct parquet_levels *levels, struct parquet_memory *memory, size_t keep)
{
    struct parquet_buffer out = levels->out;
    parquet_buffer_reset(&out, memory, keep);
    *levels = (struct parquet_levels){.out = out, .width = levels->width};
}
