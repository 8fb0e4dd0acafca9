/*
 * merge_internal: what the files of merge share: merge (memory and steps), merge_fold (the fold),
 * merge_group (collecting members of one name), merge_identity (the united identityMap), merge_membership (looking
 * into segmentMembership). Nothing else includes this.
 */
#ifndef CONSIGN_PROFILE_MERGE_INTERNAL_H
#define CONSIGN_PROFILE_MERGE_INTERNAL_H

#include "profile/merge.h"
#include "profile/project.h"
#include "lib/jscan.h"
#include "lib/siphash.h"

#define MERGE_NONE UINT32_MAX

/* What to write of a value: a node of the projection's tree, or one of these. */
#define MERGE_WHOLE UINT32_MAX              /* all of it */
#define MERGE_IDENTITY_MAP (UINT32_MAX - 1) /* the united identityMap instead */

/* A named value of one fragment. Values of one name form a chain from the weakest on. Kept at 32 bytes: there may
 * be MERGE_MEMBERS_MAX. */
struct merge_item {
    uint64_t key;      /* equal for equal names, comparable within one group */
    uint32_t name;     /* tape node of the name */
    uint32_t value;    /* tape node of the value */
    uint32_t tree;     /* what to write of it; the same along a chain */
    uint32_t newer;    /* the next in the chain, or MERGE_NONE */
    uint32_t newest;   /* in the first of a chain: its last */
    uint16_t fragment; /* below MERGE_MAX_FRAGMENTS */
    uint8_t strict;    /* this many levels of members below must be objects, others take no part */
    bool follows;      /* not the first of its chain */
};

/* Levels of a segmentMembership: namespaces, segments. */
#define MERGE_MEMBERSHIP_LEVELS 2

/* Where a fragment has its maps; 0: none, or no object. */
struct merge_maps {
    uint32_t identity;
    uint32_t membership;
};

/* Items from `first` on of merge->item, collected for one place in the result. Groups are stacked:
 * the one opened last is closed first. */
struct merge_group {
    uint32_t first;
    uint32_t known; /* only items before this one can have the name of the next; MERGE_NONE: any */
    uint32_t hint;  /* where the next name is looked for first */
    size_t slots;   /* of the hash table while collecting; 0: few enough to compare pair by pair */
};

struct merge {
    const struct projection *fields;
    struct projection_view view;

    struct jscan *scan; /* one a fragment */
    struct project_source *source;
    struct merge_maps *maps;
    uint32_t sources; /* allocated */
    uint32_t count;   /* fragments read */

    struct merge_item *item;
    uint32_t items;
    uint32_t item_capacity;
    uint32_t *table; /* item index + 1, or 0 */
    size_t table_slots;
    struct siphash_key key;
    enum fault trouble; /* no memory for an item or a table, or too many of them: the result is void */

    struct str identity_map; /* the united value, empty if there is none */
    struct str identities;   /* its view, empty if not wanted */
    struct str namespaces;   /* unescaped, a NUL after each */
    uint32_t identity_count;
    bool view_dropped;    /* too many identities for a view */
    bool uniting_changed; /* the united identityMap may differ from the only fragment's own */

    uint32_t memberships;   /* entries in the segmentMembership of all fragments together */
    bool membership_broken; /* something in one of them takes no part */
    struct merge_index *index;
};

/* Opens a group that will take `most` items at most. */
struct merge_group merge_group_open(struct merge *m, size_t most);

/* Says that the names added from here on, up to the next call, differ from each other: the members
 * of one object do. */
void merge_group_begin_object(const struct merge *m, struct merge_group *group);

/* Adds one value to the chain of its name. Of *one, its fragment, name, value, tree and strict count. */
void merge_group_add(struct merge *m, struct merge_group *group, const struct merge_item *one);

/* Drops the items of the group, which must be the one opened last. */
void merge_group_close(struct merge *m, const struct merge_group *group);

/* The sum of the element or member counts of a chain's values. */
size_t merge_chain_width(const struct merge *m, uint32_t first);

/* Writes what a chain comes to. False, and out is as before, when nothing of it is selected. */
bool merge_write_chain(struct merge *m, uint32_t first, struct str *out);

/* Writes the whole merged profile, after merge_unite_identities(). */
void merge_write_profile(struct merge *m, struct str *out);

/* Fills identity_map, identities, namespaces, identity_count and uniting_changed from the fragments. */
void merge_unite_identities(struct merge *m);

/* The index of memberships; NULL when there is no memory. Reset before each profile; what a profile needs is reserved
 * when it is read (false: no memory) and filled when first asked for. */
struct merge_index *merge_index_new(void);
void merge_index_free(struct merge_index *index);
void merge_index_reset(struct merge_index *index);
bool merge_index_reserve(struct merge_index *index, uint32_t entries) MUST_CHECK;

/* Counts the entries of the fragment's segmentMembership, and notes what takes no part. */
void merge_survey_membership(struct merge *m, uint32_t fragment);

static inline const struct jscan_node *merge_node(const struct merge *m, const struct merge_item *item)
{
    return &m->scan[item->fragment].node[item->value];
}

#endif
