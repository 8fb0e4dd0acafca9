/*
 * batches: the catalog's batches (contract.md section 4). How they come to be is in import.c, how
 * their files are read in files.c.
 */
#include <string.h>

#include "core/ident.h"
#include "core/stmt_api.h"
#include "responder/batch_document.h"
#include "responder/catalog_list.h"
#include "responder/handlers.h"

static enum fault batch_answer(struct call *c, const struct db_rows *rows, const char *properties)
{
    struct json_object *map = jsonio_own(c->arena, json_object_new_object());
    for (int i = 0; i < rows->count; i++) {
        struct json_object *b = batch_document(c, rows, i);
        catalog_keep_properties(b, properties);
        json_object_object_add(map, db_text(rows, i, BATCH_ID), b);
    }
    return map == NULL ? FAULT_MEMORY : reply_json(&c->reply, c->arena, 200, map);
}

/* The filters of the list. A dataset id of another form matches nothing, as an unknown one does. */
static enum fault batch_read_filters(struct call *c, const struct query *q, const char *out[4])
{
    static const char *const STATES[] = {"loading", "loaded", "staged", "processing", "active", "success", "failed",
                                         "aborted"};
    static const char *const TIMES[] = {"createdAfter", "createdBefore"};
    out[0] = query_get(q, "dataSet");
    out[1] = query_get(q, "status");
    bool known = out[1] == NULL;
    for (size_t i = 0; i < sizeof STATES / sizeof *STATES; i++)
        known = known || strcmp(STATES[i], out[1]) == 0;
    if (!known)
        return call_refuse(c, FAULT_MALFORMED, NULL, "status: a state of batches");
    for (int i = 0; i < 2; i++) {
        int64_t ms;
        out[2 + i] = query_get(q, TIMES[i]);
        if (out[2 + i] != NULL && !query_number(out[2 + i], 0, INT64_MAX, &ms))
            return call_refuse(c, FAULT_MALFORMED, NULL,
                               arena_printf(c->arena, "%s: milliseconds since 1970", TIMES[i]));
    }
    return FAULT_NONE;
}

enum fault batch_handle_list(struct call *c)
{
    struct query q;
    struct catalog_list list;
    struct db_rows rows;
    const char *filter[4] = {NULL, NULL, NULL, NULL};
    enum fault fault = catalog_query(c, &q);
    if (fault == FAULT_NONE)
        fault = catalog_list_read(c, &q, false, &list);
    if (fault == FAULT_NONE)
        fault = batch_read_filters(c, &q, filter);
    if (fault != FAULT_NONE)
        return fault;
    const char *const params[] = {arena_int(c->arena, list.limit), arena_int(c->arena, list.start),
                                  filter[1], filter[2], filter[3], filter[0]};
    const struct stmt *stmt = stmt_batch_list(list.sort, list.descending, filter[0] != NULL);
    fault = call_db(c, stmt, params, filter[0] != NULL ? 6 : 5, &rows);
    return fault == FAULT_NONE ? batch_answer(c, &rows, list.properties) : fault;
}

enum fault batch_handle_get(struct call *c)
{
    struct db_rows rows;
    const char *properties;
    enum fault fault = catalog_read_one(c, IDENT_BATCH_DIGITS, &STMT_BATCH_GET, &rows, &properties);
    if (fault == FAULT_NONE && !db_null(&rows, 0, BATCH_EXPIRED))
        return call_refuse(c, FAULT_GONE, NULL, "the batch has expired");
    return fault == FAULT_NONE ? batch_answer(c, &rows, properties) : fault;
}
