/*
 * projection: which members of a document a client asked for.
 *
 * Compiles the `fields` string of an export request (contract.md section 5) into a tree of member
 * names, and writes documents reduced to it. Made once a job, read by every row. Callers: the
 * export's runner, merge. A bad string is refused when the job is posted (core/spec); that it is
 * refused here again keeps a changed rule from exporting something else than what was asked for.
 *
 * A path that is the beginning of another wins: it selects the whole value. Paths have no escape
 * for a dot: a member whose name holds one can only be selected with what contains it.
 */
#ifndef CONSIGN_PROFILE_PROJECTION_H
#define CONSIGN_PROFILE_PROJECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/fault.h"
#include "lib/jscan.h"
#include "lib/str.h"

#define PROJECTION_MAX_BYTES ((size_t)64 * 1024)
#define PROJECTION_MAX_PATHS 1000u

/* The deepest document that is merged or projected. Ingestion takes less. */
#define PROJECTION_MAX_DEPTH 64u
#define PROJECTION_LIMITS ((struct jscan_limits){.depth = PROJECTION_MAX_DEPTH, .bytes = 64u * 1024u * 1024u})

/* One name in the tree. Its children stand side by side in `node`, sorted by name. */
struct projection_node {
    uint32_t name; /* offset in `names` */
    uint32_t name_length;
    uint32_t child; /* first child */
    uint32_t children;
    bool whole; /* everything below is selected; no children then */
};

/* Read-only to callers; node[0] is the root. */
struct projection {
    struct projection_node *node;
    uint32_t count;
    char *names;
};

#define PROJECTION_INIT ((struct projection){0})

/* Where and why a `fields` string was refused. */
struct projection_error {
    size_t offset;      /* byte in the string */
    const char *reason; /* static English text, lower case */
};

/* Compiles `length` bytes of plain UTF-8 at `fields`: dot paths separated by commas, spaces and
 * tabs around a path ignored. NULL, empty or blank selects everything. On FAULT_MALFORMED *error
 * says where: an empty path, an empty segment, a control character, too long, too many paths.
 * FAULT_MEMORY otherwise. The projection is released with projection_free(), also after a fault. */
enum fault projection_compile(struct projection *projection, const char *fields, size_t length,
                              struct projection_error *error) MUST_CHECK;

void projection_free(struct projection *projection);

/* Whether everything is selected. */
bool projection_is_all(const struct projection *projection);

/* The child of tree node `parent` for a plain UTF-8 name, or 0. */
uint32_t projection_child(const struct projection *projection, uint32_t parent, const char *name, size_t length);

/* The same for a member name on a tape. */
uint32_t projection_child_of(const struct projection *projection, uint32_t parent, const struct jscan *scan,
                             uint32_t name);

/* Which parts of the view `identities` (see merge.h) the projection selects; none under a projection of everything:
 * there is no view then. */
struct projection_view {
    bool id;
    bool code;
    bool primary;
};

struct projection_view projection_view(const struct projection *projection);

/* Appends one JSON object text reduced to the projection, on one line: `{}` when nothing is
 * selected. For documents without a merge: events. `scan` is working memory that the caller keeps
 * from call to call. FAULT_INTERNAL when the body is not an object that jscan accepts: ingestion
 * has accepted it before. FAULT_MEMORY when out overflows. */
enum fault projection_write_document(const struct projection *projection, struct jscan *scan, const char *body,
                                     size_t length, struct str *out) MUST_CHECK;

#endif
