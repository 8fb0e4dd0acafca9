/*
 * stage: records on their way into the staging table. See stage.h.
 */
#include "store/stage.h"

#include "core/stmt_spooler.h"

#define STAGE_SEND_BYTES 65536u /* a send per record cost a system call each */
#define STAGE_ANALYZE_ROWS 1000
/* Of one record's links beside the values: each repeats its namespace, which the body may have once. */
#define STAGE_LINKS_BYTES (RECORD_IDENTITIES_MAX * (RECORD_NAMESPACE_MAX + 8u))
#define STAGE_TEXT_OID 25 /* of type text; PostgreSQL keeps it for ever */

static void stage_write(char *out, uint64_t n, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        out[i] = (char)(n >> (8 * (bytes - 1 - i)) & 0xff);
}

static void stage_put(struct str *out, uint64_t n, unsigned bytes)
{
    char big_endian[8];
    stage_write(big_endian, n, bytes);
    str_append(out, big_endian, bytes);
}

static void stage_put_text(struct str *out, const char *bytes, size_t length)
{
    stage_put(out, length, 4);
    str_append(out, bytes, length);
}

static void stage_put_number(struct str *out, int64_t n)
{
    stage_put(out, 8, 4);
    stage_put(out, (uint64_t)n, 8);
}

static void stage_put_null(struct str *out)
{
    stage_put(out, UINT32_MAX, 4);
}

/* One array of texts, of namespaces or of values: of all identities of the record but the primary one. */
static void stage_put_links(struct str *out, const struct record *record, bool namespaces)
{
    size_t begin = out->length;
    stage_put(out, 0, 4); /* the field's length, known at the end */
    stage_put(out, 1, 4); /* dimensions */
    stage_put(out, 0, 4); /* no NULL in it */
    stage_put(out, STAGE_TEXT_OID, 4);
    stage_put(out, record->identities - 1, 4);
    stage_put(out, 1, 4); /* lower bound */
    for (uint32_t i = 0; i < record->identities; i++) {
        if (i == record->primary)
            continue;
        const struct record_identity *one = &record->identity[i];
        if (namespaces)
            stage_put_text(out, one->ns, one->ns_length);
        else
            stage_put_text(out, one->id, one->id_length);
    }
    if (!out->overflow)
        stage_write(out->data + begin, out->length - begin - 4, 4);
}

static enum fault stage_send(struct stage *s)
{
    if (s->buffer.overflow)
        return FAULT_MEMORY;
    enum fault fault = db_copy_data(s->db, s->buffer.data, s->buffer.length);
    str_reset(&s->buffer);
    return fault;
}

enum fault stage_begin(struct stage *s, struct db *db, size_t most_bytes)
{
    static const char SIGNATURE[11] = "PGCOPY\n\377\r\n";
    /* a body, once more what of it are values of identities, and their namespaces */
    *s = (struct stage){.db = db, .buffer = STR_INIT(2 * most_bytes + STAGE_LINKS_BYTES + 2u * STAGE_SEND_BYTES)};
    enum fault fault = db_run_text(db, STMT_STAGE_MAKE);
    if (fault == FAULT_NONE)
        fault = db_copy_in(db, STMT_STAGE_COPY);
    str_append(&s->buffer, SIGNATURE, sizeof SIGNATURE);
    stage_put(&s->buffer, 0, 4); /* flags */
    stage_put(&s->buffer, 0, 4); /* no header extension */
    return fault;
}

enum fault stage_add(struct stage *s, const struct record *record)
{
    const struct record_identity *primary = &record->identity[record->primary];
    stage_put(&s->buffer, 8, 2);
    stage_put_number(&s->buffer, s->rows++);
    stage_put_text(&s->buffer, primary->ns, primary->ns_length);
    stage_put_text(&s->buffer, primary->id, primary->id_length);
    if (record->event) {
        stage_put_text(&s->buffer, record->event_id.bytes, record->event_id.length);
        stage_put_number(&s->buffer, record->time_ms);
    } else {
        stage_put_null(&s->buffer);
        stage_put_null(&s->buffer);
    }
    stage_put_text(&s->buffer, record->body, record->body_length);
    if (record->identities > 1) {
        stage_put_links(&s->buffer, record, true);
        stage_put_links(&s->buffer, record, false);
    } else {
        stage_put_null(&s->buffer);
        stage_put_null(&s->buffer);
    }
    return s->buffer.length < STAGE_SEND_BYTES && !s->buffer.overflow ? FAULT_NONE : stage_send(s);
}

enum fault stage_end(struct stage *s)
{
    stage_put(&s->buffer, UINT16_MAX, 2);
    enum fault fault = stage_send(s);
    if (fault == FAULT_NONE)
        fault = db_copy_end(s->db);
    /* without figures the planner takes any staging table for a small one */
    if (fault == FAULT_NONE && s->rows >= STAGE_ANALYZE_ROWS)
        fault = db_run_text(s->db, STMT_STAGE_ANALYZE);
    return fault;
}

void stage_free(struct stage *s)
{
    str_free(&s->buffer);
}
