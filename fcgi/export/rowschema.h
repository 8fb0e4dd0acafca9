/*
 * rowschema: the columns of an export (contract.md section 6).
 *
 * Made once an export from the observed schemas of the datasets that take part, reduced to `fields`: so the
 * columns are the same for every worker and every part of a job. Callers: export/run, the Parquet sink.
 *
 * What becomes of an observed node: only booleans (and nulls) BOOLEAN; integers INTEGER; integers and other
 * numbers NUMBER; date-times MOMENT; strings, also with date-times, STRING; objects with members GROUP; arrays
 * with elements LIST; maps MAP. Anything else is JSON, the value's own JSON text in a string: other mixtures,
 * open nodes, objects that never had a member, arrays that never had an element, nodes that were always null.
 * Nulls go with every type. Members stand in order of name (bytes); `eventList` comes last.
 *
 * With a projection, a node has a column only if something of it can be selected (a scalar can't when the path goes
 * on below it); its kind is that of the whole value, reduced to the selected members. The elements of an
 * array of which only a part is selected are GROUP or JSON: such an array keeps its length, with {} where nothing is
 * selected, so an element that is an array itself is JSON. The values of a map get what any of the paths through its
 * keys selects.
 *
 * A list inside ROWSCHEMA_LISTS_MAX others is JSON: what DuckDB needs to read a column doubles with each.
 *
 * A schema that would have more than so many leaves (ROWSCHEMA_LEAVES_MAX, or what the order says) has its groups made JSON, the deepest first, of
 * one depth the last in order of the paths first, until it has no more; the entries of identityMap come last of all.
 *
 * What the merge makes sure of is not left to observation: the profile's identityMap is MAP of LIST of GROUP, whose
 * `id` is STRING; segmentMembership has objects only in its first three levels. The entries of identityMap are JSON
 * when their members are not known (open).
 */
#ifndef CONSIGN_EXPORT_ROWSCHEMA_H
#define CONSIGN_EXPORT_ROWSCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/observed.h"
#include "profile/projection.h"
#include "lib/fault.h"
#include "lib/str.h"

#define ROWSCHEMA_LEAVES_MAX 1000u
#define ROWSCHEMA_LISTS_MAX 15u
#define ROWSCHEMA_DOCUMENT "document"

enum rowschema_kind {
    ROWSCHEMA_BOOLEAN,
    ROWSCHEMA_INTEGER, /* 64 bit */
    ROWSCHEMA_NUMBER,  /* double */
    ROWSCHEMA_MOMENT,  /* milliseconds since 1970, UTC; see observed_datetime() */
    ROWSCHEMA_STRING,  /* UTF-8 */
    ROWSCHEMA_JSON,    /* JSON text of the value, as it stands in the row */
    ROWSCHEMA_GROUP,   /* children: members, sorted by name */
    ROWSCHEMA_LIST,    /* one child: the element */
    ROWSCHEMA_MAP      /* one child: the value; keys are strings */
};

/* Everything but the row itself and the keys of maps may be null. */
struct rowschema_node {
    enum rowschema_kind kind;
    const char *name; /* plain UTF-8, NUL-terminated; "" for the row, elements and values */
    uint32_t name_length;
    uint32_t child;    /* the first one; children of one node stand side by side */
    uint32_t children; /* 0 for the scalar kinds */
};

/* node[0] is the row, a GROUP; it may have no children. Read-only to callers. */
struct rowschema {
    struct rowschema_node *node;
    uint32_t count;
    uint32_t leaves; /* scalar nodes, and keys of maps */
    /* 0, or a JSON column `document` for the whole profile as it stands in the row: when the observed profile itself
     * is open, so that members of a row may have no column of their own. Then only. */
    uint32_t document;
    char *names;
};

#define ROWSCHEMA_INIT ((struct rowschema){0})

/* What a schema is made from. */
struct rowschema_order {
    const struct observed *profile; /* of all profile datasets that take part, merged */
    const struct observed *event;   /* of all event datasets, merged; NULL: rows have no eventList */
    const struct projection *fields;
    const struct projection *event_fields;
    uint32_t leaves; /* the bound; 0: ROWSCHEMA_LEAVES_MAX */
};

/* With a projection: the selected paths, and always identityMap; `identities` and what is selected below it is
 * LIST of GROUP{id STRING, namespace GROUP{code STRING}, primary BOOLEAN}. identityMap is there even when nothing
 * was observed: MAP of LIST of GROUP{id, primary}; so a profile that has events only can always be written.
 * `eventList` is LIST of GROUP, or LIST of JSON when no member of an event is known or selected.
 * FAULT_MEMORY. Released with rowschema_free(), also after a fault; the order may go before it. */
enum fault rowschema_build(struct rowschema *schema, const struct rowschema_order *order) MUST_CHECK;

void rowschema_free(struct rowschema *schema);

/* The member of group `group` with that name, or 0. `expected` is where to look first: the node after the one
 * found last, since rows of one store tend to have their members in one order. */
uint32_t rowschema_member(const struct rowschema *schema, uint32_t group, const struct jscan *scan, uint32_t name,
                          uint32_t expected);

/* Appends the schema as one JSON object: {"name":TYPE,...}, where TYPE is "boolean", "integer", "number",
 * "date-time", "string", "json", {"object":{...}}, {"array":TYPE} or {"map":TYPE}. Goes into the files' metadata. */
void rowschema_write(const struct rowschema *schema, struct str *out);

#endif
