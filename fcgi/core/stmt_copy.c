/*
 * stmt_copy: the texts of COPY. See stmt_copy.h.
 */
#include "core/stmt_copy.h"

#include <inttypes.h>
#include <string.h>

#include "core/ident.h"
#include "lib/log.h"

/* Orders of events: the window of copy_bare() has the same one, so that nothing is sorted twice. */
#define COPY_EVENTS_OF_GRAPH "e.person, e.time_ms, e.event_id, e.identity"
#define COPY_EVENTS_OF_ONE "e.person, e.identity, e.time_ms, e.event_id"

/* The tenant of the identity, fragment or event `alias`. */
static void copy_tenant(const struct stmt_copy *c, const char *alias, struct str *out)
{
    str_printf(out, "%s.org = %d AND %s.sandbox = %d", alias, c->org, alias, c->sandbox);
}

static void copy_range(const struct stmt_copy *c, const char *alias, struct str *out)
{
    copy_tenant(c, alias, out);
    str_printf(out, " AND %s.person >= '%" PRId64 "'::bigint AND %s.person < '%" PRId64 "'::bigint", alias,
               c->person_from, alias, c->person_to);
}

/* The ids of a dataSetPrecedence policy as an array. */
static enum fault copy_datasets(const struct policy *policy, struct str *out)
{
    str_append_text(out, "'{");
    for (uint32_t i = 0; i < policy->datasets; i++) {
        if (!ident_is_hex(policy->dataset[i], IDENT_DATASET_DIGITS)) {
            log_event(LOG_ERROR, "policy_dataset", "value=%s", log_quote(policy->dataset[i]));
            return FAULT_INTERNAL;
        }
        str_printf(out, "%s%s", i == 0 ? "" : ",", policy->dataset[i]);
    }
    str_append_text(out, "}'::text[]");
    return FAULT_NONE;
}

enum fault stmt_copy_fragments(const struct stmt_copy *c, struct str *out)
{
    const struct policy *policy = c->policy;
    enum fault fault = FAULT_NONE;
    str_append_text(out, "COPY (SELECT f.person, f.identity, f.ingested_ms, f.body FROM consign.profile_fragment f WHERE ");
    copy_range(c, "f", out);
    if (policy->precedence) {
        str_append_text(out, " AND f.dataset = ANY(");
        fault = copy_datasets(policy, out);
        str_append_char(out, ')');
    }
    str_append_text(out, policy->graph ? " ORDER BY f.person" : " ORDER BY f.person, f.identity");
    if (policy->precedence && fault == FAULT_NONE) {
        str_append_text(out, ", array_position(");
        fault = copy_datasets(policy, out);
        str_append_text(out, ", f.dataset) DESC");
    }
    str_append_text(out, ", f.ingested_ms, f.ingested_seq, f.dataset, f.identity) TO STDOUT (FORMAT binary)");
    return fault == FAULT_NONE && out->overflow ? FAULT_MEMORY : fault;
}

/* The profile of event e's person or identity if it has no records. Only asked of the first event of each. */
static void copy_bare(const struct stmt_copy *c, struct str *out)
{
    bool graph = c->policy->graph;
    const char *unit = graph ? "person" : "identity";
    str_printf(out, "CASE WHEN lag(e.%s) OVER (ORDER BY %s) IS DISTINCT FROM e.%s", unit,
               graph ? COPY_EVENTS_OF_GRAPH : COPY_EVENTS_OF_ONE, unit);
    str_printf(out, " THEN consign.bare_profile(%d, %d, e.person, %s) END", c->org, c->sandbox,
               graph ? "NULL" : "e.identity");
}

void stmt_copy_events(const struct stmt_copy *c, struct str *out)
{
    str_append_text(out, "COPY (SELECT e.person, e.identity, e.ingested_ms, ");
    if (c->bare)
        copy_bare(c, out);
    else
        str_append_text(out, "NULL::text");
    str_append_text(out, ", e.body FROM consign.profile_event e WHERE ");
    copy_range(c, "e", out);
    if (c->events_after_ms != INT64_MIN)
        str_printf(out, " AND e.ingested_ms > '%" PRId64 "'::bigint", c->events_after_ms);
    if (c->events_before_ms != INT64_MAX)
        str_printf(out, " AND e.ingested_ms < '%" PRId64 "'::bigint", c->events_before_ms);
    str_append_text(out, " ORDER BY ");
    str_append_text(out, c->policy->graph ? COPY_EVENTS_OF_GRAPH : COPY_EVENTS_OF_ONE);
    str_append_text(out, ") TO STDOUT (FORMAT binary)");
}

enum fault stmt_use_snapshot(const char *snapshot, struct str *out)
{
    size_t length = strlen(snapshot);
    if (length == 0 || length > 64 || strspn(snapshot, "0123456789ABCDEF-") != length) {
        log_event(LOG_ERROR, "snapshot", "value=%s", log_quote(snapshot));
        return FAULT_INTERNAL;
    }
    str_printf(out, "SET TRANSACTION SNAPSHOT '%s'", snapshot);
    return out->overflow ? FAULT_MEMORY : FAULT_NONE;
}
