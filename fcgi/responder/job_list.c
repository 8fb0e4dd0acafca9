/*
 * job_list: GET /export/jobs, one page at a time (contract.md section 5).
 *
 * Pages are cut by the key of the last record, not by counting rows, so a page costs the same at
 * the end of the list as at its beginning.
 */
#include <stdlib.h>
#include <string.h>

#include "core/job_id.h"
#include "core/stmt_api.h"
#include "responder/handlers.h"
#include "responder/job_document.h"
#include "responder/query.h"

#define LIST_LIMIT_DEFAULT 100
#define LIST_LIMIT_MOST 1000
#define LIST_ROWS_MOST INT64_C(1000000000)
#define LIST_ANSWER_BYTES (16u * 1024u * 1024u)
#define LIST_WHOLE_MOST 31                   /* records that are read without a look at their sizes first: 64 KiB each */

struct list_request {
    int64_t limit;
    int64_t skip;       /* rows */
    const char *cursor; /* the job's number, or NULL */
    enum job_sort sort;
    const char *sort_field; /* as the client names it */
    bool descending;
    const char *status; /* NULL: any */
    bool sorted;        /* the client gave sort= */
};

static enum fault list_refuse(struct call *c, const char *detail)
{
    return call_refuse(c, FAULT_MALFORMED, NULL, detail);
}

static enum fault list_read_sort(struct call *c, const char *text, struct list_request *out)
{
    static const struct {
        const char *name;
        enum job_sort sort;
    } FIELDS[] = {{"createdTime", JOB_SORT_CREATED},  {"creationTime", JOB_SORT_CREATED}, {"id", JOB_SORT_CREATED},
                  {"updateTime", JOB_SORT_UPDATED}, {"status", JOB_SORT_STATUS}};
    out->sort = JOB_SORT_CREATED;
    out->sort_field = FIELDS[0].name;
    out->descending = true;
    out->sorted = text != NULL;
    if (text == NULL)
        return FAULT_NONE;
    size_t length = strcspn(text, ":");
    const char *direction = text[length] == ':' ? text + length + 1 : "";
    bool down = strcmp(direction, "desc") == 0;
    for (size_t i = 0; i < sizeof FIELDS / sizeof *FIELDS; i++) {
        if (strlen(FIELDS[i].name) != length || strncmp(FIELDS[i].name, text, length) != 0 ||
            (!down && strcmp(direction, "asc") != 0))
            continue;
        out->sort = FIELDS[i].sort;
        out->sort_field = FIELDS[i].name;
        out->descending = down;
        return FAULT_NONE;
    }
    return list_refuse(c, "sort: id, creationTime, createdTime, updateTime or status, then :asc or :desc");
}

static enum fault list_read_status(struct call *c, const char *text, struct list_request *out)
{
    static const char *const STATES[] = {"NEW", "PROCESSING", "CANCELLING", "SUCCEEDED", "FAILED", "CANCELLED"};
    out->status = NULL;
    if (text == NULL)
        return FAULT_NONE;
    for (size_t i = 0; i < sizeof STATES / sizeof *STATES; i++) {
        if (strcmp(STATES[i], text) == 0)
            out->status = STATES[i];
    }
    return out->status != NULL
               ? FAULT_NONE
               : list_refuse(c, "status: NEW, PROCESSING, CANCELLING, SUCCEEDED, FAILED or CANCELLED");
}

/* `offset` is the cursor <creationTime>_<id> of a record, or a number of rows. */
static enum fault list_read_offset(struct call *c, const char *text, struct list_request *out)
{
    int64_t created, job;
    if (query_number(text, 0, LIST_ROWS_MOST, &out->skip))
        return FAULT_NONE;
    const char *bar = strchr(text, '_');
    char *head = bar == NULL ? NULL : arena_copy(c->arena, text, (size_t)(bar - text));
    if (head == NULL || !query_number(head, 0, INT64_MAX, &created) || !query_number(bar + 1, 1, JOB_ID_MOST, &job))
        return list_refuse(c, "offset: the cursor <creationTime>_<id> of a record, or a number of rows");
    out->cursor = arena_int(c->arena, job);
    return FAULT_NONE;
}

static enum fault list_read_place(struct call *c, const struct query *q, struct list_request *out)
{
    const char *offset = query_get(q, "offset"), *start = query_get(q, "start"), *page = query_get(q, "page");
    int64_t number = 1;
    if ((offset != NULL) + (start != NULL) + (page != NULL) > 1)
        return list_refuse(c, "only one of offset, start and page may be given");
    if (offset != NULL)
        return list_read_offset(c, offset, out);
    if (start != NULL && !query_number(start, 0, LIST_ROWS_MOST, &out->skip))
        return list_refuse(c, "start: a number of rows from 0");
    if (page != NULL && !query_number(page, 1, LIST_ROWS_MOST / LIST_LIMIT_MOST, &number))
        return list_refuse(c, "page: a number from 1");
    if (page != NULL)
        out->skip = (number - 1) * out->limit;
    return FAULT_NONE;
}

static enum fault list_read(struct call *c, struct list_request *out)
{
    struct query q;
    *out = (struct list_request){.limit = LIST_LIMIT_DEFAULT};
    if (!query_parse(c->arena, c->request.query, &q))
        return list_refuse(c, "the query is malformed");
    const char *limit = query_get(&q, "limit");
    if (limit != NULL && !query_number(limit, 1, LIST_LIMIT_MOST, &out->limit))
        return list_refuse(c, "limit: a number from 1 to 1000");
    enum fault fault = list_read_sort(c, query_get(&q, "sort"), out);
    if (fault == FAULT_NONE)
        fault = list_read_status(c, query_get(&q, "status"), out);
    return fault == FAULT_NONE ? list_read_place(c, &q, out) : fault;
}

/* The cursor of a record. */
static const char *list_cursor(struct call *c, const struct db_rows *rows, int row)
{
    return arena_printf(c->arena, "%s_%s", db_text(rows, row, JOB_CREATED), db_text(rows, row, JOB_ID));
}

/* Where the next page is, with every filter kept; "" after the last. */
static const char *list_next(struct call *c, const struct list_request *r, const char *cursor)
{
    const char *sort = r->sorted ? arena_printf(c->arena, "&sort=%s:%s", r->sort_field, r->descending ? "desc" : "asc") : "";
    const char *status = r->status != NULL ? arena_printf(c->arena, "&status=%s", r->status) : "";
    return arena_printf(c->arena, "/export/jobs/?limit=%lld&offset=%s%s%s", (long long)r->limit, cursor, sort, status);
}

/* How many of the rows fit on the page: at least one, at most the limit, and of what jobs keep as given no more than a
 * statement that cuts reads: were it more, the page would seem the last. */
static int list_count(const struct list_request *r, const struct db_rows *rows)
{
    size_t bytes = 0;
    int count = 0;
    while (count < rows->count && count < r->limit) {
        bytes += db_length(rows, count, JOB_FIELDS) + db_length(rows, count, JOB_FILTER) +
                 db_length(rows, count, JOB_ADDITIONAL) + db_length(rows, count, JOB_ERRORS) +
                 db_length(rows, count, JOB_TARGETS);
        if (bytes > STMT_JOB_LIST_BYTES && count > 0)
            break;
        count++;
    }
    return count;
}

static enum fault list_answer(struct call *c, const struct list_request *r, const struct db_rows *rows)
{
    int count = list_count(r, rows);
    const char *cursor = count > 0 ? list_cursor(c, rows, count - 1) : "";
    const char *next = rows->count > count ? list_next(c, r, cursor) : "";
    if (cursor == NULL || next == NULL)
        return FAULT_MEMORY;
    struct str *text = call_text(c, LIST_ANSWER_BYTES);
    str_append_text(text, "{\"records\":[");
    for (int i = 0; i < count; i++) {
        if (i > 0)
            str_append_char(text, ',');
        job_document(text, rows, i, c->scope.ims_org_id);
    }
    str_printf(text, "],\"page\":{\"sortField\":\"%s\",\"sort\":\"%s\",\"pageOffset\":\"%s\",\"pageSize\":%d},\"link\":{\"next\":\"%s\"}}",
               r->sort_field, r->descending ? "desc" : "asc", cursor, count, next);
    return call_answer_text(c, text);
}

enum fault job_handle_list(struct call *c)
{
    struct list_request r;
    struct db_rows rows;
    enum fault fault = list_read(c, &r);
    if (fault != FAULT_NONE)
        return fault;
    /* one row more than the page tells whether another page follows */
    const char *const params[] = {arena_int(c->arena, r.limit + 1), arena_int(c->arena, r.skip), r.cursor, r.status};
    const struct stmt *stmt = stmt_job_list(r.sort, r.descending, r.status != NULL, r.limit > LIST_WHOLE_MOST);
    fault = call_db(c, stmt, params, r.status != NULL ? 4 : 3, &rows);
    return fault == FAULT_NONE ? list_answer(c, &r, &rows) : fault;
}
