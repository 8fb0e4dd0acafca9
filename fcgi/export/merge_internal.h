/*
 * merge_internal: what the files of merge share: merge (memory and steps), merge_fold (the fold),
 * merge_group (collecting members of one name), merge_identity (the united identityMap). Nothing else includes this.
 */
#ifndef CONSIGN_EXPORT_MERGE_INTERNAL_H
#define CONSIGN_EXPORT_MERGE_INTERNAL_H

#include "export/merge.h"
#include "export/project.h"
#include "lib/jscan.h"
#include "lib/siphash.h"

#define MERGE_NONE UINT32_MAX

/* What to write of a value: a node of the projection's tree, or one of these. */
#define MERGE_WHOLE UINT32_MAX              /* all of it */
#define MERGE_IDENTITY_MAP (UINT32_MAX - 1) /* the united identityMap instead */

/* A named value of one fragment. Values of one name form a chain from the weakest on. */
struct merge_item {
    uint64_t key; /* equal for equal names, comparable within one group */
    uint32_t fragment;
    uint32_t name;   /* tape node of the name */
    uint32_t value;  /* tape node of the value */
    uint32_t tree;   /* what to write of it; the same along a chain */
    uint32_t newer;  /* the next in the chain, or MERGE_NONE */
    uint32_t newest; /* in the first of a chain: its last */
    bool follows;    /* not the first of its chain */
};

/* Items from `first` on of merge->item, collected for one place in the result. Groups are stacked:
 * the one opened last is closed first. */
struct merge_group {
    uint32_t first;
    uint32_t known; /* only items before this one can have the name of the next; MERGE_NONE: any */
    uint32_t hint;  /* where the next name is looked for first */
    size_t slots;   /* of the hash table while collecting; 0: few enough to compare pair by pair */
};

/* Which parts of the `identities` view are wanted. */
struct merge_view {
    bool id;
    bool code;
    bool primary;
};

struct merge {
    const struct projection *fields;
    struct merge_view view;

    struct jscan *scan; /* one a fragment */
    struct project_source *source;
    uint32_t sources; /* allocated */

    struct merge_item *item;
    uint32_t items;
    uint32_t item_capacity;
    uint32_t *table; /* item index + 1, or 0 */
    size_t table_slots;
    struct siphash_key key;
    bool exhausted; /* no memory for an item or a table: the result is void */

    struct str identity_map; /* the united value, empty if there is none */
    struct str identities;   /* its view, empty if not wanted */
    struct str namespaces;   /* unescaped, a NUL after each */
    uint32_t identity_count;
    bool uniting_changed; /* the united identityMap may differ from the only fragment's own */
};

/* Opens a group that will take `most` items at most. */
struct merge_group merge_group_open(struct merge *m, size_t most);

/* Says that the names added from here on, up to the next call, differ from each other: the members
 * of one object do. */
void merge_group_begin_object(const struct merge *m, struct merge_group *group);

/* Adds the value of one fragment to the chain of its name; `tree`: what to write of it. */
void merge_group_add(struct merge *m, struct merge_group *group, uint32_t fragment, uint32_t name, uint32_t value,
                     uint32_t tree);

/* Drops the items of the group, which must be the one opened last. */
void merge_group_close(struct merge *m, const struct merge_group *group);

/* The sum of the element or member counts of a chain's values. */
size_t merge_chain_width(const struct merge *m, uint32_t first);

/* Writes what a chain comes to. False, and out is as before, when nothing of it is selected. */
bool merge_write_chain(struct merge *m, uint32_t first, struct str *out);

/* Writes the whole merged profile of the first `count` fragments, after merge_unite_identities(). */
void merge_write_profile(struct merge *m, uint32_t count, struct str *out);

/* Fills identity_map, identities, namespaces, identity_count and uniting_changed from the first
 * `count` fragments. */
void merge_unite_identities(struct merge *m, uint32_t count);

static inline const struct jscan_node *merge_node(const struct merge *m, const struct merge_item *item)
{
    return &m->scan[item->fragment].node[item->value];
}

#endif
