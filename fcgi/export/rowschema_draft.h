/*
 * rowschema_draft: an observed schema reduced to a projection, as a linked tree of columns in the making.
 *
 * The rules are those of rowschema.h; order of members and the bound of leaves are not applied yet. Caller: rowschema.
 */
#ifndef CONSIGN_EXPORT_ROWSCHEMA_DRAFT_H
#define CONSIGN_EXPORT_ROWSCHEMA_DRAFT_H

#include "export/rowschema.h"

struct draft_node {
    enum rowschema_kind kind;
    const char *name; /* in the observed schema, or static */
    uint32_t name_length;
    uint32_t child;   /* the first child, or 0 */
    uint32_t next;    /* the next child of the same node, or 0 */
    bool last_resort; /* made JSON only after all others */
};

/* node[0] is the row. */
struct draft {
    struct draft_node *node;
    uint32_t count;
    uint32_t capacity;
    uint32_t document; /* the column of that name, or 0 */
    uint32_t *set;     /* stack of projection nodes */
    uint32_t sets;
    uint32_t set_capacity;
    bool failed; /* no memory */
};

#define DRAFT_INIT ((struct draft){0})

/* FAULT_MEMORY. Released with draft_free(), also after a fault; valid as long as what the order names. */
enum fault draft_make(struct draft *draft, const struct rowschema_order *order) MUST_CHECK;

void draft_free(struct draft *draft);

#endif
