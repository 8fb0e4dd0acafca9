/*
 * files: Data Access, reading what a batch holds (contract.md section 7).
 *
 * A file's id is the batch's id, a hyphen and the number of the part. The bytes are sent by nginx:
 * this program checks the right to them, and names the file by an internal path made of ids.
 */
#include <stdlib.h>
#include <string.h>

#include "core/ident.h"
#include "core/stmt_api.h"
#include "responder/download.h"
#include "responder/file_errors.h"
#include "responder/handlers.h"
#include "responder/query.h"

#define FILES_LIMIT_MOST 100
#define FILES_START_MOST INT64_C(1000000000)
#define FILES_BASE "/data/foundation/export/files/"
#define FILES_MANIFEST "manifest.json"

struct files_page {
    int64_t limit;
    int64_t start;
};

static enum fault files_read_page(struct call *c, struct files_page *out)
{
    struct query q;
    *out = (struct files_page){.limit = FILES_LIMIT_MOST};
    if (!query_parse(c->arena, c->request.query, &q))
        return call_refuse(c, FAULT_MALFORMED, NULL, "the query is malformed");
    const char *limit = query_get(&q, "limit"), *start = query_get(&q, "start");
    if (limit != NULL && !query_number(limit, 1, FILES_LIMIT_MOST, &out->limit))
        return call_refuse(c, FAULT_MALFORMED, NULL, "limit: a number from 1 to 100");
    if (start != NULL && !query_number(start, 0, FILES_START_MOST, &out->start))
        return call_refuse(c, FAULT_MALFORMED, NULL, "start: a number from 0");
    return FAULT_NONE;
}

static struct json_object *files_link(const char *href)
{
    struct json_object *links = json_object_new_object(), *self = json_object_new_object();
    jsonio_add_text(self, "href", href);
    json_object_object_add(links, "self", self);
    return links;
}

/* {"data": data, "_page": {...}, "_links": {...}}: `count` is the total; `next` NULL on the last page. */
static enum fault files_answer_page(struct call *c, struct json_object *data, const struct files_page *page,
                                    int64_t total, const char *path)
{
    struct json_object *body = jsonio_own(c->arena, json_object_new_object());
    struct json_object *about = json_object_new_object(), *links = json_object_new_object();
    json_object_object_add(body, "data", data);
    jsonio_add_int(about, "limit", page->limit);
    jsonio_add_int(about, "count", total);
    json_object_object_add(body, "_page", about);
    if (page->start + (int64_t)json_object_array_length(data) < total) {
        struct json_object *next = json_object_new_object();
        int64_t begins = page->start + page->limit;
        const char *href = arena_printf(c->arena, "%s?start=%lld&limit=%lld", path, (long long)begins,
                                        (long long)page->limit);
        jsonio_add_text(next, "href", call_link(c, href == NULL ? "" : href));
        json_object_object_add(links, "next", next);
    }
    json_object_object_add(body, "_links", links);
    return body == NULL ? FAULT_MEMORY : reply_json(&c->reply, c->arena, 200, body);
}

/* A row of a batch, whose column `expired` says when it did; NULL: it has not. */
static enum fault files_kept(struct call *c, const struct db_rows *rows, int expired)
{
    return db_null(rows, 0, expired) ? FAULT_NONE : call_refuse(c, FAULT_GONE, NULL, "the batch has expired");
}

/* One page of rows that belong to the batch of the path; the last columns are the total and when the batch expired. */
static enum fault files_page_rows(struct call *c, const struct stmt *stmt, struct files_page *page,
                                  struct db_rows *rows)
{
    enum fault fault = files_read_page(c, page);
    if (fault != FAULT_NONE)
        return fault;
    if (!ident_is_hex(c->segment[0], IDENT_BATCH_DIGITS))
        return FAULT_NOT_FOUND;
    const char *const params[] = {c->segment[0], arena_int(c->arena, page->limit), arena_int(c->arena, page->start)};
    fault = call_db(c, stmt, params, 3, rows);
    if (fault != FAULT_NONE)
        return fault;
    return rows->count == 0 ? FAULT_NOT_FOUND : files_kept(c, rows, 7);
}

static struct json_object *files_entry(struct call *c, const struct db_rows *rows, int row)
{
    struct json_object *file = json_object_new_object();
    const char *id = arena_printf(c->arena, "%s-%s", c->segment[0], db_text(rows, row, 0));
    const char *created = db_text(rows, row, 5);
    jsonio_add_text(file, "dataSetFileId", id);
    jsonio_add_text(file, "dataSetViewId", c->segment[0]);
    jsonio_add_text(file, "version", "1.0.0");
    jsonio_add_text(file, "created", created);
    jsonio_add_text(file, "updated", created);
    jsonio_add_int(file, "records", db_int(rows, row, 2));
    jsonio_add_text(file, "size", db_text(rows, row, 3));
    json_object_object_add(file, "isValid", json_object_new_boolean(1));
    const char *path = arena_printf(c->arena, FILES_BASE "%s", id);
    json_object_object_add(file, "_links", files_link(call_link(c, path)));
    return file;
}

/* A page of what a batch has, under /batches/{b}/<name>. */
static enum fault files_list(struct call *c, const struct stmt *stmt, const char *name,
                             struct json_object *(*entry)(struct call *c, const struct db_rows *rows, int row))
{
    struct files_page page;
    struct db_rows rows;
    enum fault fault = files_page_rows(c, stmt, &page, &rows);
    if (fault != FAULT_NONE)
        return fault;
    struct json_object *data = json_object_new_array();
    for (int i = 0; i < rows.count && !db_null(&rows, i, 0); i++) /* a batch that has none is one row of NULLs */
        json_object_array_add(data, entry(c, &rows, i));
    return files_answer_page(c, data, &page, db_int(&rows, 0, 6),
                             arena_printf(c->arena, "/data/foundation/export/batches/%s/%s", c->segment[0], name));
}

enum fault file_handle_list(struct call *c)
{
    return files_list(c, &STMT_FILE_LIST, "files", files_entry);
}

enum fault file_handle_failed(struct call *c)
{
    return files_list(c, &STMT_ERROR_LIST, "failed", file_errors_entry);
}

static const char *files_type(const char *name)
{
    size_t length = strlen(name);
    bool parquet = length > 8 && strcmp(name + length - 8, ".parquet") == 0;
    return parquet ? "application/parquet" : "application/x-ndjson";
}

/* The manifest of an export's batch. It never changes once the batch shows. */
static enum fault files_send_manifest(struct call *c, const struct db_rows *batch)
{
    const char *attempt = db_text(batch, 0, BATCH_ATTEMPT);
    const char *tag = arena_printf(c->arena, "\"%s-manifest\"", attempt);
    if (tag == NULL)
        return FAULT_MEMORY;
    struct download file = {.batch = {c->scope.org, c->scope.sandbox, db_text(batch, 0, BATCH_DATASET), c->segment[0]},
                            .attempt = attempt,
                            .name = FILES_MANIFEST,
                            .type = "application/json",
                            .tag = tag,
                            .bytes = -1};
    return download_send(c, &file);
}

/* /batches/{b}/meta: what is told about a batch, listed and by ?path=: the manifest of an export's, the refused records
 * of an uploaded one. */
enum fault file_handle_meta(struct call *c)
{
    struct query q;
    struct db_rows rows;
    if (!query_parse(c->arena, c->request.query, &q))
        return call_refuse(c, FAULT_MALFORMED, NULL, "the query is malformed");
    if (!ident_is_hex(c->segment[0], IDENT_BATCH_DIGITS))
        return FAULT_NOT_FOUND;
    const char *const params[] = {c->segment[0]};
    enum fault fault = call_db(c, &STMT_BATCH_GET, params, 1, &rows);
    if (fault == FAULT_NONE)
        fault = rows.count != 1 ? FAULT_NOT_FOUND : files_kept(c, &rows, BATCH_EXPIRED);
    if (fault != FAULT_NONE)
        return fault;
    bool exported = strcmp(db_text(&rows, 0, BATCH_KIND), "export") == 0;
    bool refused = !exported && !db_null(&rows, 0, BATCH_FAILED) && db_int(&rows, 0, BATCH_FAILED) > 0;
    const char *name = exported ? FILES_MANIFEST : refused ? FILE_ERRORS_PATH : NULL;
    const char *path = query_get(&q, "path");
    if (path != NULL && (name == NULL || strcmp(path, name) != 0))
        return FAULT_NOT_FOUND;
    if (path != NULL)
        return exported ? files_send_manifest(c, &rows) : file_errors_send(c, &q);
    struct json_object *data = json_object_new_array();
    if (name != NULL) {
        struct json_object *entry = json_object_new_object();
        jsonio_add_text(entry, "name", name);
        const char *self = arena_printf(c->arena, "/data/foundation/export/batches/%s/meta?path=%s", c->segment[0], name);
        json_object_object_add(entry, "_links", files_link(call_link(c, self)));
        json_object_array_add(data, entry);
    }
    const struct files_page page = {.limit = FILES_LIMIT_MOST};
    return files_answer_page(c, data, &page, name != NULL, "");
}

/* Splits <batch>-<part>. */
static bool files_read_id(struct call *c, const char **batch, const char **part)
{
    const char *id = c->segment[0];
    int64_t number;
    if (strlen(id) < IDENT_BATCH_DIGITS + 2 || id[IDENT_BATCH_DIGITS] != '-')
        return false;
    *batch = arena_copy(c->arena, id, IDENT_BATCH_DIGITS);
    *part = id + IDENT_BATCH_DIGITS + 1;
    return *batch != NULL && ident_is_hex(*batch, IDENT_BATCH_DIGITS) && query_number(*part, 0, INT32_MAX, &number) &&
           ((*part)[0] != '0' || (*part)[1] == '\0');
}

static enum fault files_describe(struct call *c, const char *name, int64_t bytes)
{
    struct json_object *data = json_object_new_array(), *entry = json_object_new_object();
    const char *path = arena_printf(c->arena, FILES_BASE "%s?path=%s", c->segment[0], name);
    jsonio_add_text(entry, "name", name);
    jsonio_add_text(entry, "length", arena_int(c->arena, bytes));
    json_object_object_add(entry, "_links", files_link(call_link(c, path)));
    json_object_array_add(data, entry);
    const struct files_page page = {.limit = FILES_LIMIT_MOST};
    return files_answer_page(c, data, &page, 1, "");
}

enum fault file_handle_get(struct call *c)
{
    struct query q;
    struct db_rows rows;
    const char *batch, *part;
    if (!query_parse(c->arena, c->request.query, &q))
        return call_refuse(c, FAULT_MALFORMED, NULL, "the query is malformed");
    if (!files_read_id(c, &batch, &part))
        return FAULT_NOT_FOUND;
    const char *const params[] = {batch, part};
    enum fault fault = call_db(c, &STMT_FILE_GET, params, 2, &rows);
    if (fault == FAULT_NONE)
        fault = rows.count != 1 ? FAULT_NOT_FOUND : files_kept(c, &rows, 5);
    if (fault != FAULT_NONE)
        return fault;
    const char *name = db_text(&rows, 0, 0), *path = query_get(&q, "path");
    if (path == NULL)
        return files_describe(c, name, db_int(&rows, 0, 1));
    if (strcmp(path, name) != 0)
        return FAULT_NOT_FOUND;
    const char *tag = arena_printf(c->arena, "\"%s\"", db_text(&rows, 0, 2));
    struct download file = {.batch = {c->scope.org, c->scope.sandbox, db_text(&rows, 0, 3), batch},
                            .attempt = db_text(&rows, 0, 4),
                            .name = name,
                            .type = files_type(name),
                            .tag = tag,
                            .bytes = db_int(&rows, 0, 1)};
    return tag == NULL ? FAULT_MEMORY : download_send(c, &file);
}
