/*
 * observed_internal: what the files of observed share. Nothing outside observed*.c includes this.
 */
#ifndef CONSIGN_CORE_OBSERVED_INTERNAL_H
#define CONSIGN_CORE_OBSERVED_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/observed.h"
#include "lib/siphash.h"

#define OBSERVED_COUNT_MAX ((UINT64_C(1) << 53) - 1) /* what jscan takes for an integer; counts stop there */

/* What the place of a node says of its objects. */
enum observed_kind {
    OBSERVED_PLAIN,    /* members are told apart */
    OBSERVED_DOCUMENT, /* so are these; its identityMap and segmentMembership are maps */
    OBSERVED_MAP,      /* members are values of one kind */
    OBSERVED_MAP_OF_MAPS
};

struct observed_extra {
    uint64_t hash;    /* of name and parent */
    uint32_t parent;
    uint32_t chain;   /* the next node with the same bucket; of unused nodes: the next unused one */
    uint32_t last;    /* of its members */
    uint32_t members; /* how many it has */
    uint8_t kind;     /* enum observed_kind */
};

#define OBSERVED_BUCKETS 8192u /* a power of two above OBSERVED_NODES_MAX */

/* Nodes stand in `extra` at the same index as in observed.node. */
struct observed_private {
    struct observed_extra *extra;
    uint32_t capacity;
    uint32_t unused; /* first of the nodes that were dropped; 0: none */
    uint32_t used;   /* nodes in use */
    bool exhausted;  /* no memory */
    struct siphash_key key;
    uint32_t bucket[OBSERVED_BUCKETS];
};

/* The member of `parent` with that name, made if it is not there. 0: the node was opened instead, or has
 * been dropped itself (open says so), or there is no memory. May move observed->node. */
uint32_t observed_member(struct observed *o, uint32_t parent, const char *name, size_t length);

/* The element or value of `parent`, made if it is not there. 0: as above. */
uint32_t observed_element(struct observed *o, uint32_t parent);
uint32_t observed_value(struct observed *o, uint32_t parent);

/* Opens a node: all below it is dropped. A dropped node is open until it is used again, so who still
 * stands on one finds out as on any open node. */
void observed_open(struct observed *o, uint32_t node);

static inline bool observed_is_map(const struct observed *o, uint32_t node)
{
    return o->private->extra[node].kind >= OBSERVED_MAP;
}

static inline void observed_count(struct observed_node *node, enum observed_type type, uint64_t more)
{
    uint64_t room = OBSERVED_COUNT_MAX - node->count[type];
    node->count[type] += more < room ? more : room;
}

#endif
