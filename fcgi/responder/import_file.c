/*
 * import_file: the files of an ingest batch: at once by PUT, in pieces by PATCH with Content-Range. Bytes go into the
 * inbox as they come; what they are compressed with is noted, and undone when they are loaded.
 *
 * Every body becomes an object of its own, durable before it is entered, and entering is one transaction that holds
 * the batch. So a body that breaks off, a worker that is killed and two calls at the same moment leave the file as one
 * of them left it: what counts is which objects the database names.
 */
#include <string.h>
#include <strings.h>

#include "core/ident.h"
#include "core/inbox.h"
#include "core/stmt_api.h"
#include "lib/conf.h"
#include "responder/content_range.h"
#include "responder/handlers.h"
#include "responder/upload.h"

#define IMPORT_NAME_MAX 255
#define IMPORT_PIECES_MOST (INT64_C(1) << 30) /* of a file that comes in pieces */

/* The columns of STMT_UPLOAD_GET, and of STMT_BATCH_PATCH. */
enum import_file_column { FILE_KIND, FILE_DATASET, FILE_STATUS, FILE_BYTES, FILE_TOTAL, FILE_WHOLE, FILE_ENCODING, FILE_ROOM };
enum import_piece_column { PIECE_REFUSAL, PIECE_BYTES, PIECE_TOTAL, PIECE_WHOLE, PIECE_REMOVED };

/* Refuses with a header beside the problem, which a returned fault would not carry. */
static enum fault import_refuse_with(struct call *c, enum fault fault, const char *detail, const char *header,
                                     const char *value)
{
    c->audit.fault = fault;
    reply_problem(&c->reply, c->arena, fault, detail, NULL, c->request.id);
    reply_header(&c->reply, header, value);
    return FAULT_NONE;
}

static enum fault import_check_name(struct call *c)
{
    const char *name = c->segment[2];
    if (strlen(name) > IMPORT_NAME_MAX || strpbrk(name, "/\\") != NULL || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return call_refuse(c, FAULT_MALFORMED, NULL, "the file name: 1 to 255 bytes without a slash, not . or ..");
    return FAULT_NONE;
}

/* The name of the file's encoding as the database has it; NULL: none that is offered. */
static const char *import_encoding(const struct call *c)
{
    static const char *const NAMES[][2] = {
        {"identity", "identity"}, {"gzip", "gzip"}, {"x-gzip", "gzip"} /* RFC 9110 section 8.4.1.3 */, {"zstd", "zstd"}};
    const char *given = request_param(&c->request, "HTTP_CONTENT_ENCODING");
    if (given == NULL || *given == '\0')
        return "identity";
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (strcasecmp(given, NAMES[i][0]) == 0 && request_param_count(&c->request, "HTTP_CONTENT_ENCODING") == 1)
            return NAMES[i][1];
    }
    return NULL;
}

/* RFC 9110 section 15.5.16: which ones would be taken */
static enum fault import_refuse_encoding(struct call *c)
{
    return import_refuse_with(c, FAULT_MEDIA_TYPE, "Content-Encoding: gzip, zstd or identity", "Accept-Encoding",
                              "gzip, zstd, identity");
}

/* Whether the batch takes files, and what is there of this one; asked before the body comes and before it is stored, and
 * checked once more when it is entered. */
static enum fault import_find(struct call *c, struct db_rows *rows)
{
    if (!ident_is_hex(c->segment[0], IDENT_BATCH_DIGITS) || !ident_is_hex(c->segment[1], IDENT_DATASET_DIGITS))
        return FAULT_NOT_FOUND;
    const char *const params[] = {c->segment[0], c->segment[2]};
    enum fault fault = call_db(c, &STMT_UPLOAD_GET, params, 2, rows);
    if (fault != FAULT_NONE)
        return fault;
    if (rows->count != 1 || strcmp(db_text(rows, 0, FILE_KIND), "ingest") != 0 ||
        strcmp(db_text(rows, 0, FILE_DATASET), c->segment[1]) != 0)
        return FAULT_NOT_FOUND;
    if (strcmp(db_text(rows, 0, FILE_STATUS), "loading") != 0)
        return call_refuse(c, FAULT_STATE, NULL, "the batch is not in the state loading");
    return FAULT_NONE;
}

static enum fault import_refuse_quota(struct call *c)
{
    return call_refuse(c, FAULT_QUOTA, NULL, "the uploads of the organization or sandbox that have not ended take all the room in"
                       " the inbox that its quota allows, or are more than 20,000 batches");
}

/* Whether a file or piece that replaces nothing may have room; asked before its body is stored, so that what is refused
 * takes no room meanwhile. */
static bool import_fits(const struct call *c, const struct db_rows *rows)
{
    return c->request.content_length <= db_int(rows, 0, FILE_ROOM);
}

/* The answer where the body would be read, when it is not here (pipeline.c). */
static enum fault import_would_read(struct call *c)
{
    c->reply.status = 204;
    return FAULT_NONE;
}

/* After entering an object did not work: it is removed. When the outcome is unknown it stays: the spooler's sweep
 * knows what the database says. */
static enum fault import_not_entered(struct call *c, const struct upload *up, enum fault fault)
{
    if (fault != FAULT_DB_UNAVAILABLE)
        upload_remove(c, c->segment[0], up->object);
    if (fault == FAULT_STATE)
        return call_refuse(c, fault, NULL, "the batch is not in the state loading");
    return fault == FAULT_QUOTA ? import_refuse_quota(c) : fault;
}

/* Removes what the rows say nothing refers to any more; while a backup is made the sweep does, later. */
static void import_remove(struct call *c, const struct db_rows *rows, int column)
{
    for (int i = 0; i < rows->count; i++) {
        if (!db_null(rows, i, column) && !inbox_is_held(conf_text(CONF_INBOX_DIR)))
            upload_remove(c, c->segment[0], db_text(rows, i, column));
    }
}

enum fault import_handle_put_file(struct call *c)
{
    struct upload up;
    struct db_rows rows;
    const char *encoding = import_encoding(c);
    enum fault fault = import_check_name(c);
    if (fault != FAULT_NONE)
        return fault;
    if (encoding == NULL)
        return import_refuse_encoding(c);
    /* RFC 9110 section 14.5: a part taken for the whole would be a file of nobody's */
    if (request_param(&c->request, "HTTP_CONTENT_RANGE") != NULL)
        return call_refuse(c, FAULT_MALFORMED, NULL, "Content-Range: a file comes in pieces by PATCH, not by PUT");
    fault = import_find(c, &rows);
    if (fault == FAULT_NONE && db_null(&rows, 0, FILE_BYTES) && !import_fits(c, &rows))
        return import_refuse_quota(c);
    if (fault == FAULT_NONE && c->request.stage != REQUEST_WHOLE)
        return import_would_read(c);
    if (fault == FAULT_NONE)
        fault = upload_store(c, c->segment[0], &up);
    if (fault != FAULT_NONE)
        return fault;
    const char *const params[] = {c->segment[0], c->segment[1], c->segment[2], up.object, arena_int(c->arena, up.bytes), encoding};
    fault = call_db(c, &STMT_BATCH_UPLOAD, params, 6, &rows);
    if (fault != FAULT_NONE)
        return import_not_entered(c, &up, fault);
    import_remove(c, &rows, 0);
    fault = upload_look(c, c->segment[0], &up);
    if (fault != FAULT_NONE)
        return fault;
    struct json_object *answer = jsonio_own(c->arena, json_object_new_object());
    jsonio_add_text(answer, "name", c->segment[2]);
    jsonio_add_int(answer, "length", up.bytes);
    return answer == NULL ? FAULT_MEMORY : reply_json(&c->reply, c->arena, 200, answer);
}

/* The header Range of an answer: what is there; none for nothing. */
static const char *import_range(struct call *c, int64_t bytes)
{
    return bytes == 0 ? NULL : arena_printf(c->arena, "bytes=0-%lld", (long long)(bytes - 1));
}

static enum fault import_answer_piece(struct call *c, int64_t bytes, int64_t total, bool whole)
{
    struct json_object *answer = jsonio_own(c->arena, json_object_new_object());
    jsonio_add_text(answer, "name", c->segment[2]);
    jsonio_add_int(answer, "length", bytes);
    jsonio_add_int(answer, "total", total);
    json_object_object_add(answer, "whole", json_object_new_boolean(whole));
    reply_header(&c->reply, "Range", import_range(c, bytes));
    return answer == NULL ? FAULT_MEMORY : reply_json(&c->reply, c->arena, 200, answer);
}

/* Why a piece does not fit what is there. */
static enum fault import_refuse_piece(struct call *c, const char *why, int64_t bytes, int64_t total)
{
    const char *detail;
    if (strcmp(why, "total") == 0)
        detail = arena_printf(c->arena, "Content-Range: the file was announced with %lld bytes; begin it anew at byte 0 to change that",
                              (long long)total);
    else if (strcmp(why, "encoding") == 0)
        detail = "Content-Encoding: is of the file, and must be that of the pieces before";
    else if (strcmp(why, "pieces") == 0)
        detail = "a file comes in at most 10,000 pieces";
    else
        detail = arena_printf(c->arena, "Content-Range: the next byte of the file is %lld", (long long)bytes);
    return import_refuse_with(c, FAULT_STATE, detail, "Range", import_range(c, bytes));
}

/* Reads Content-Range and holds it against the body's length. */
static enum fault import_read_range(struct call *c, struct content_range *out)
{
    const char *given = request_param(&c->request, "HTTP_CONTENT_RANGE");
    if (given == NULL || request_param_count(&c->request, "HTTP_CONTENT_RANGE") != 1 || !content_range_read(given, out))
        return call_refuse(c, FAULT_MALFORMED, NULL,
                           "Content-Range: bytes FIRST-LAST/TOTAL, or bytes */TOTAL to ask how much is there");
    if (out->total > IMPORT_PIECES_MOST)
        return call_refuse(c, FAULT_BODY_TOO_LARGE, NULL, "a file that comes in pieces has at most 1 GiB");
    int64_t bytes = out->asks ? 0 : out->last - out->first + 1;
    if (bytes > UPLOAD_MOST)
        return call_refuse(c, FAULT_BODY_TOO_LARGE, NULL, "a piece has at most 256 MiB");
    /* that of a chunked body is known when nginx has all of it */
    bool unknown = c->request.stage != REQUEST_WHOLE && c->request.content_length == 0;
    if (!unknown && c->request.content_length != bytes)
        return call_refuse(c, FAULT_MALFORMED, NULL, "Content-Range: does not have the length of the body");
    return FAULT_NONE;
}

/* Enters a stored piece. */
static enum fault import_enter_piece(struct call *c, const struct upload *up, const struct content_range *range,
                                     const char *encoding)
{
    struct db_rows rows;
    const char *const params[] = {c->segment[0], c->segment[1], c->segment[2], up->object, arena_int(c->arena, up->bytes),
                                  arena_int(c->arena, range->first), arena_int(c->arena, range->total), encoding};
    enum fault fault = call_db(c, &STMT_BATCH_PATCH, params, 8, &rows);
    if (fault == FAULT_NONE && rows.count == 0)
        fault = FAULT_INTERNAL;
    if (fault != FAULT_NONE)
        return import_not_entered(c, up, fault);
    int64_t bytes = db_int(&rows, 0, PIECE_BYTES), total = db_int(&rows, 0, PIECE_TOTAL);
    if (!db_null(&rows, 0, PIECE_REFUSAL)) {
        upload_remove(c, c->segment[0], up->object);
        return import_refuse_piece(c, db_text(&rows, 0, PIECE_REFUSAL), bytes, total);
    }
    import_remove(c, &rows, PIECE_REMOVED);
    fault = upload_look(c, c->segment[0], up);
    return fault == FAULT_NONE ? import_answer_piece(c, bytes, total, db_bool(&rows, 0, PIECE_WHOLE)) : fault;
}

enum fault import_handle_patch_file(struct call *c)
{
    struct upload up;
    struct db_rows rows;
    struct content_range range = {0};
    const char *encoding = import_encoding(c);
    enum fault fault = import_check_name(c);
    if (fault == FAULT_NONE)
        fault = import_read_range(c, &range);
    if (fault != FAULT_NONE)
        return fault;
    if (encoding == NULL)
        return import_refuse_encoding(c);
    fault = import_find(c, &rows);
    if (fault != FAULT_NONE)
        return fault;
    bool there = !db_null(&rows, 0, FILE_BYTES);
    int64_t bytes = there ? db_int(&rows, 0, FILE_BYTES) : 0, total = there ? db_int(&rows, 0, FILE_TOTAL) : range.total;
    if (range.asks)
        return import_answer_piece(c, bytes, total, there && db_bool(&rows, 0, FILE_WHOLE));
    if (range.first != 0 && range.first != bytes)
        return import_refuse_piece(c, "place", bytes, total);
    if ((range.first != 0 || !there) && !import_fits(c, &rows))
        return import_refuse_quota(c);
    if (c->request.stage != REQUEST_WHOLE)
        return import_would_read(c);
    fault = upload_store(c, c->segment[0], &up);
    return fault == FAULT_NONE ? import_enter_piece(c, &up, &range, encoding) : fault;
}
