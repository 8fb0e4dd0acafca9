/*
 * file_errors: the records of an uploaded batch that were refused. See file_errors.h.
 */
#include "responder/file_errors.h"

#include "core/stmt_api.h"
#include "lib/str.h"

#define FILE_ERRORS_ROWS 1000
#define FILE_ERRORS_BYTES (2u * 1024u * 1024u)
#define FILE_ERRORS_START_MOST INT64_C(1000000000)

/* The columns of STMT_ERROR_LIST. */
enum file_errors_column { ERROR_FILE, ERROR_LINE, ERROR_OFFSET, ERROR_CODE, ERROR_REASON, ERROR_RECORD, ERROR_TOTAL, ERROR_EXPIRED };

struct json_object *file_errors_entry(struct call *c, const struct db_rows *rows, int row)
{
    (void)c;
    struct json_object *e = json_object_new_object();
    jsonio_add_text(e, "file", db_text(rows, row, ERROR_FILE));
    jsonio_add_int(e, "line", db_int(rows, row, ERROR_LINE));
    jsonio_add_int(e, "byteOffset", db_int(rows, row, ERROR_OFFSET));
    jsonio_add_text(e, "code", db_text(rows, row, ERROR_CODE));
    jsonio_add_text(e, "reason", db_text(rows, row, ERROR_REASON));
    jsonio_add_text(e, "record", db_text(rows, row, ERROR_RECORD));
    return e;
}

/* Appends lines until there is enough; answers how many rows were taken. */
static int file_errors_write(struct call *c, const struct db_rows *rows, struct str *out)
{
    int row = 0;
    for (; row < rows->count && out->length < FILE_ERRORS_BYTES; row++) {
        size_t length;
        struct json_object *entry = jsonio_own(c->arena, file_errors_entry(c, rows, row));
        const char *line = jsonio_print(c->arena, entry, &length);
        if (line == NULL) {
            out->overflow = true;
            break;
        }
        str_append(out, line, length);
        str_append_char(out, '\n');
    }
    return row;
}

enum fault file_errors_send(struct call *c, const struct query *q)
{
    struct db_rows rows;
    int64_t start = 0;
    const char *given = query_get(q, "start");
    if (given != NULL && !query_number(given, 0, FILE_ERRORS_START_MOST, &start))
        return call_refuse(c, FAULT_MALFORMED, NULL, "start: a number from 0");
    const char *const params[] = {c->segment[0], arena_int(c->arena, FILE_ERRORS_ROWS), arena_int(c->arena, start)};
    enum fault fault = call_db(c, &STMT_ERROR_LIST, params, 3, &rows);
    if (fault != FAULT_NONE)
        return fault;
    if (rows.count > 0 && !db_null(&rows, 0, ERROR_EXPIRED)) /* since the caller looked */
        return FAULT_GONE;
    if (rows.count == 0 || db_null(&rows, 0, ERROR_FILE)) /* a batch that has none is one row of NULLs */
        return FAULT_NOT_FOUND;
    struct str text = STR_INIT(2 * FILE_ERRORS_BYTES);
    int64_t next = start + file_errors_write(c, &rows, &text);
    c->reply.body = text.overflow ? NULL : arena_copy(c->arena, text.data, text.length);
    c->reply.length = text.length;
    str_free(&text);
    c->reply.status = 200;
    c->reply.content_type = "application/x-ndjson";
    if (next < db_int(&rows, 0, ERROR_TOTAL)) {
        const char *path = arena_printf(c->arena, "/data/foundation/export/batches/%s/meta?path=" FILE_ERRORS_PATH "&start=%lld",
                                        c->segment[0], (long long)next);
        reply_header(&c->reply, "Link",
                     path == NULL ? NULL : arena_printf(c->arena, "<%s>; rel=\"next\"", call_link(c, path)));
    }
    return c->reply.body == NULL ? FAULT_MEMORY : FAULT_NONE;
}
