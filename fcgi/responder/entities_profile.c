/*
 * entities_profile: merged profiles as answers: the very rows that an export would write. See entities.h.
 *
 * The bodies go from the database's answer through the merge into the reply's text; nothing parses them but the
 * merge's own scanner.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/stmt_api.h"
#include "profile/merge.h"
#include "responder/entities.h"

/* The merge at work for one request. */
struct profile_work {
    struct merge *merge;
    const struct projection *fields;
};

/* The next request finds nothing of this one, and what a large profile took is given back now. */
static void profile_end_work(void *work)
{
    const struct profile_work *w = work;
    enum fault fault = merge_read(w->merge, NULL, 0, w->fields);
    (void)fault; /* with or without, nothing is left */
}

static enum fault profile_begin_work(struct call *c, const struct entity_request *r)
{
    struct profile_work *work = arena_alloc(c->arena, sizeof *work);
    if (work == NULL)
        return FAULT_MEMORY;
    *work = (struct profile_work){c->worker->merge, r->projection};
    return arena_own(c->arena, work, profile_end_work) ? FAULT_NONE : FAULT_MEMORY;
}

/* Where in the body, if it is one, the profile at fault is. */
static enum fault profile_refuse(struct call *c, const struct entity_request *r, int64_t place, const char *rule)
{
    return call_refuse(c, FAULT_PROFILE_BOUNDS,
                       r->many ? arena_printf(c->arena, "/identities/%lld", (long long)place) : NULL, rule);
}

static void profile_write_time(int64_t ms, struct str *out)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm parts;
    char text[40];
    gmtime_r(&seconds, &parts);
    size_t length = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    str_printf(out, "%.*s.%03dZ", (int)length, text, (int)(ms % 1000));
}

/* {"entityId",...,"lastModifiedAt"}: what the row `head` tells, and the profile that the merge has read. */
static enum fault profile_write(struct call *c, const struct entity_request *r, const struct db_rows *rows, int head,
                                struct str *out)
{
    const char *id = r->name[db_int(rows, head, ENTITY_PLACE)].id;
    str_append_json(out, id, strlen(id));
    str_append_text(out, ":{\"entityId\":");
    str_append_json(out, id, strlen(id));
    str_append_text(out, ",\"mergePolicy\":{\"id\":");
    str_append_json(out, db_text(rows, head, ENTITY_POLICY), db_length(rows, head, ENTITY_POLICY));
    str_append_text(out, "},\"sources\":");
    str_append(out, db_text(rows, head, ENTITY_SOURCES), db_length(rows, head, ENTITY_SOURCES));
    str_append_text(out, ",\"identityGraph\":");
    str_append(out, db_text(rows, head, ENTITY_IDENTITIES), db_length(rows, head, ENTITY_IDENTITIES));
    str_append_text(out, ",\"entity\":");
    enum fault fault = merge_write(c->worker->merge, out);
    if (fault != FAULT_NONE && out->overflow)
        return FAULT_NONE; /* the answer as a whole is too long */
    if (fault == FAULT_MALFORMED)
        return profile_refuse(c, r, db_int(rows, head, ENTITY_PLACE), "has too many identities for the path identities");
    str_append_text(out, ",\"lastModifiedAt\":\"");
    profile_write_time(db_int(rows, head, ENTITY_UPDATED), out);
    str_append_text(out, "\"}");
    return fault;
}

/* Merges and writes the profile whose first row is *row; *row is then the first of the next. */
static enum fault profile_take(struct call *c, const struct entity_request *r, const struct db_rows *rows, int *row,
                               struct merge_fragment *fragment, struct str *out)
{
    int head = (*row)++;
    size_t count = 0;
    int64_t place = db_int(rows, head, ENTITY_PLACE);
    if (!db_bool(rows, head, ENTITY_FITS))
        return profile_refuse(c, r, place, "the records of the profile are more than 6 MiB or 4096");
    for (; *row < rows->count && !db_null(rows, *row, ENTITY_BODY); (*row)++)
        fragment[count++] = (struct merge_fragment){db_text(rows, *row, ENTITY_BODY), db_length(rows, *row, ENTITY_BODY)};
    enum fault fault = merge_read(c->worker->merge, fragment, count, r->projection);
    if (fault == FAULT_MALFORMED)
        return profile_refuse(c, r, place, "the profile has too many members to be merged");
    if (fault == FAULT_NONE && merge_identity_count(c->worker->merge) > MERGE_IDENTITIES_MAX)
        return profile_refuse(c, r, place, "the profile has more than 50 identities");
    return fault == FAULT_NONE ? profile_write(c, r, rows, head, out) : fault;
}

static enum fault profile_load(struct call *c, const struct entity_request *r, struct db_rows *rows)
{
    const char *const params[] = {r->policy, entity_names_text(c, r), arena_int(c->arena, MERGE_MAX_FRAGMENTS),
                                  arena_int(c->arena, (int64_t)MERGE_PROFILE_BYTES - 1)};
    if (params[1] == NULL)
        return FAULT_MEMORY;
    enum fault fault = call_db(c, &STMT_ENTITY_FRAGMENTS, params, sizeof params / sizeof *params, rows);
    if (fault == FAULT_MALFORMED)
        return call_refuse(c, fault, "/identities", "the records of these profiles are more than 6 MiB; ask for fewer");
    return entity_policy_refusal(c, r, fault);
}

static enum fault profile_too_long(struct call *c, const struct entity_request *r)
{
    if (r->many)
        return call_refuse(c, FAULT_MALFORMED, "/identities",
                           "the answer would be longer than 2 MiB; ask for fewer profiles or fields");
    return call_refuse(c, FAULT_PROFILE_BOUNDS, NULL, "the answer would be longer than 8 MiB; ask for fewer fields");
}

enum fault entity_answer_profiles(struct call *c, const struct entity_request *r)
{
    struct db_rows rows;
    int row = 0;
    struct str *out = entity_buffer(c, r->many ? ENTITY_ANSWER_BYTES : ENTITY_PROFILE_BYTES);
    enum fault fault = profile_load(c, r, &rows);
    if (fault == FAULT_NONE && rows.count == 0 && !r->many)
        return FAULT_NOT_FOUND;
    if (fault == FAULT_NONE)
        fault = profile_begin_work(c, r);
    if (fault != FAULT_NONE)
        return fault;
    struct merge_fragment *fragment = arena_alloc(c->arena, ((size_t)rows.count + 1) * sizeof *fragment);
    if (out == NULL || fragment == NULL)
        return FAULT_MEMORY;
    str_append_char(out, '{');
    while (fault == FAULT_NONE && !out->overflow && row < rows.count) {
        str_append_text(out, row == 0 ? "" : ",");
        fault = profile_take(c, r, &rows, &row, fragment, out);
    }
    str_append_char(out, '}');
    if (fault == FAULT_NONE && out->overflow)
        return profile_too_long(c, r);
    if (fault == FAULT_NONE)
        reply_text(&c->reply, 200, out->data, out->length);
    return fault;
}
