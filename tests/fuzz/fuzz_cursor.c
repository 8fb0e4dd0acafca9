/*
 * fuzz_cursor: the query of GET /export/jobs: cursor, row offset, page, sort, status.
 *
 * Whatever is accepted lies within the bounds that the statement is made for, and the link to the
 * next page that is built of it is accepted again, means the same page and prints the same. Whatever
 * a query holds, its members are text with unlike names.
 */
#include "fuzz.h"

/* the responder is no part of the archive, and what is looked at is private to this file */
#include "responder/job_list.c" /* NOLINT(bugprone-suspicious-include) */

#define NEXT "/export/jobs/?"

static void check_query(struct call *c)
{
    struct query q;
    if (!query_parse(c->arena, c->request.query, &q))
        return;
    INVARIANT(q.count >= 0 && q.count <= QUERY_MEMBERS_MAX);
    for (int i = 0; i < q.count; i++) {
        INVARIANT(fuzz_is_text(q.member[i].name, strlen(q.member[i].name)));
        INVARIANT(fuzz_is_text(q.member[i].value, strlen(q.member[i].value)));
        INVARIANT(query_get(&q, q.member[i].name) == q.member[i].value);
    }
}

static void check_cursor(const char *cursor)
{
    int64_t job = 0;
    INVARIANT(query_number(cursor, 1, JOB_ID_MOST, &job) && *cursor != '0');
}

static void check_accepted(struct call *c, const struct list_request *r)
{
    struct list_request again;
    INVARIANT(r->limit >= 1 && r->limit <= LIST_LIMIT_MOST);
    INVARIANT(r->skip >= 0 && r->skip <= LIST_ROWS_MOST);
    INVARIANT(r->cursor == NULL || r->skip == 0);
    INVARIANT(r->sort == JOB_SORT_CREATED || r->sort == JOB_SORT_UPDATED || r->sort == JOB_SORT_STATUS);
    INVARIANT(stmt_job_list(r->sort, r->descending, r->status != NULL, r->limit > LIST_WHOLE_MOST) != NULL);
    if (r->cursor != NULL)
        check_cursor(r->cursor);

    const char *cursor = arena_printf(c->arena, "1700000000000_%s", r->cursor != NULL ? r->cursor : "4096");
    const char *next = list_next(c, r, cursor);
    INVARIANT(next != NULL && strncmp(next, NEXT, strlen(NEXT)) == 0);
    c->request.query = next + strlen(NEXT);
    INVARIANT(list_read(c, &again) == FAULT_NONE);
    INVARIANT(again.limit == r->limit && again.skip == 0 && again.sort == r->sort);
    INVARIANT(again.descending == r->descending && again.sorted == r->sorted && again.status == r->status);
    INVARIANT(r->sort_field != NULL && again.sort_field != NULL && strcmp(again.sort_field, r->sort_field) == 0);
    INVARIANT(again.cursor != NULL && strcmp(again.cursor, r->cursor != NULL ? r->cursor : "4096") == 0);
    const char *same = list_next(c, &again, cursor);
    INVARIANT(same != NULL && strcmp(same, next) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena *arena;
    struct list_request r;
    if (arena == NULL)
        arena = arena_new(1u << 20);
    arena_reset(arena);
    struct call c = {.arena = arena};
    c.request.query = arena_copy(arena, (const char *)data, size);
    check_query(&c);
    enum fault fault = list_read(&c, &r);
    if (fault == FAULT_NONE) {
        check_accepted(&c, &r);
    } else {
        INVARIANT(fault == FAULT_MALFORMED);
        INVARIANT(c.detail != NULL && *c.detail != '\0');
    }
    arena_reset(arena);
    return 0;
}
