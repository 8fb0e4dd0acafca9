/*
 * catalog_list: the query members that the lists of datasets and batches share (contract.md
 * section 4), and their answers: maps keyed by id.
 */
#ifndef CONSIGN_RESPONDER_CATALOG_LIST_H
#define CONSIGN_RESPONDER_CATALOG_LIST_H

#include "core/stmt_api.h"
#include "responder/call.h"
#include "responder/query.h"

struct catalog_list {
    int64_t limit;
    int64_t start;
    enum catalog_sort sort;
    bool descending;
    const char *properties; /* NULL: all members */
};

/* Reads limit, start, orderBy and properties. `by_name`: whether this list can be ordered by name. */
enum fault catalog_list_read(struct call *c, const struct query *q, bool by_name, struct catalog_list *out) MUST_CHECK;

/* Whether the list "a,b" names it. */
bool catalog_listed(const char *properties, const char *name);

/* Drops the members that `properties` does not name; NULL keeps all. */
void catalog_keep_properties(struct json_object *object, const char *properties);

/* Reads the query string of the call. */
enum fault catalog_query(struct call *c, struct query *out) MUST_CHECK;

/* Reads the one object that the path names by `digits` hex digits, and the query's properties (NULL: none).
 * FAULT_NOT_FOUND also for an id of another form. */
enum fault catalog_read_one(struct call *c, size_t digits, const struct stmt *stmt, struct db_rows *rows,
                            const char **properties) MUST_CHECK;

/* The members that a dataset and a batch have in common. */
void catalog_add_tenant(struct call *c, struct json_object *object);

#endif
