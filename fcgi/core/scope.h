/*
 * scope: for whom a request acts, once everything agrees (contract.md section 2).
 *
 * A zeroed scope has no tenant and no rights. What the registry says is asked by scope_find() and kept for all workers of
 * the pool, so that a request costs no round trip of its own for it. Each answer of the registry says which version of
 * it that was told from (sql/schema/031_registry_version.sql). What is kept holds for that version only, and a version is
 * taken for the present one for a short time after the registry named it (setting api.scope_cache_ms): then whoever
 * comes next asks, once for all. So a disabled client or sandbox stops working within that time.
 */
#ifndef CONSIGN_CORE_SCOPE_H
#define CONSIGN_CORE_SCOPE_H

#include <stdbool.h>

#include "core/token.h"
#include "lib/arena.h"
#include "lib/db.h"
#include "lib/fault.h"

#define SCOPE_ORG_MAX 80
#define SCOPE_SANDBOX_MAX 256
#define SCOPE_CACHE_SLOTS 4096 /* about 0.3 MB, which counts in each worker's resident size */

struct scope {
    int org;     /* the tenant for SQL; 0: none */
    int sandbox; /* 0: none */
    unsigned rights;
    char client_id[TOKEN_CLIENT_MAX + 1];
    char ims_org_id[SCOPE_ORG_MAX + 1];
    char sandbox_name[SCOPE_SANDBOX_MAX + 1];
};

struct scope_cache;

/* What the registry says of a client, an org and a sandbox. */
struct scope_answer {
    bool client_active;
    bool entitled; /* the client may act for that org, and the org is active */
    int org;
    int sandbox;   /* 0: unknown in that org, or inactive */
    unsigned rights;
    bool asked;    /* the registry was asked for it just now */
};

/* Whether the org id has one of the two forms of contract.md section 2. */
bool scope_org_valid(const char *ims_org_id);

/* What is kept, in memory that children share; made once a program. NULL: there is no memory. */
struct scope_cache *scope_cache_new(void);

/* Asks the registry, or what is kept when the version that it was told from was the present one less than cache_ms ago. */
enum fault scope_find(struct db *db, const struct scope_cache *cache, struct arena *a, const char *client_id,
                      const char *ims_org_id, const char *sandbox_name, int cache_ms, struct scope_answer *out) MUST_CHECK;

#endif
