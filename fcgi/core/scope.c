/*
 * scope: asking the registry who may do what. See scope.h.
 */
#include "core/scope.h"

#include <stdint.h>
#include <string.h>

#include "core/right.h"
#include "core/stmt_api.h"
#include "lib/clock.h"
#include "lib/str.h"

#define SCOPE_CACHE_SLOTS 512 /* a power of two; one entry a slot, the newer replaces */

struct scope_entry {
    int64_t until_ms; /* by the monotonic clock; 0: empty */
    char client_id[TOKEN_CLIENT_MAX + 1];
    char ims_org_id[SCOPE_ORG_MAX + 1];
    char sandbox_name[SCOPE_SANDBOX_MAX + 1];
    struct scope_answer answer;
};

static struct scope_entry cache[SCOPE_CACHE_SLOTS];

/* Letters and digits, and the characters of `more`. */
static bool scope_made_of(const char *text, size_t length, const char *more)
{
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && strchr(more, c) == NULL)
            return false;
    }
    return length >= 1 && length <= 64;
}

bool scope_org_valid(const char *ims_org_id)
{
    static const char SUFFIX[] = "@AdobeOrg";
    size_t length = strlen(ims_org_id), suffix = sizeof SUFFIX - 1;
    if (length > suffix && strcmp(ims_org_id + length - suffix, SUFFIX) == 0)
        return scope_made_of(ims_org_id, length - suffix, "");
    return scope_made_of(ims_org_id, length, "._-");
}

/* FNV-1a over the three names. It only spreads the slots: a collision costs a query, no more. */
static struct scope_entry *scope_slot(const char *client_id, const char *ims_org_id, const char *sandbox_name)
{
    uint32_t hash = 2166136261u;
    const char *const names[] = {client_id, ims_org_id, sandbox_name};
    for (int i = 0; i < 3; i++) {
        for (const char *p = names[i]; *p != '\0'; p++)
            hash = (hash ^ (unsigned char)*p) * 16777619u;
        hash = (hash ^ 0xffu) * 16777619u;
    }
    return &cache[hash % SCOPE_CACHE_SLOTS];
}

static bool scope_entry_is(const struct scope_entry *e, const char *client_id, const char *ims_org_id,
                           const char *sandbox_name)
{
    return strcmp(e->client_id, client_id) == 0 && strcmp(e->ims_org_id, ims_org_id) == 0 &&
           strcmp(e->sandbox_name, sandbox_name) == 0;
}

static enum fault scope_ask(struct db *db, struct arena *a, const char *const *names, struct scope_answer *out)
{
    struct db_rows rows;
    enum fault fault = db_call(db, a, 0, &STMT_SCOPE_FIND, names, &rows);
    if (fault != FAULT_NONE)
        return fault;
    if (rows.count != 1)
        return FAULT_INTERNAL;
    *out = (struct scope_answer){.client_active = db_bool(&rows, 0, 0),
                                 .entitled = db_bool(&rows, 0, 1),
                                 .org = (int)db_int(&rows, 0, 2),
                                 .sandbox = (int)db_int(&rows, 0, 3),
                                 .rights = right_parse(db_text(&rows, 0, 4), NULL)};
    return FAULT_NONE;
}

enum fault scope_find(struct db *db, struct arena *a, const char *client_id, const char *ims_org_id,
                      const char *sandbox_name, int cache_ms, struct scope_answer *out)
{
    struct scope_entry *e = scope_slot(client_id, ims_org_id, sandbox_name);
    int64_t now = clock_monotonic_ms();
    if (e->until_ms > now && scope_entry_is(e, client_id, ims_org_id, sandbox_name)) {
        *out = e->answer;
        return FAULT_NONE;
    }
    const char *const names[] = {client_id, ims_org_id, sandbox_name};
    enum fault fault = scope_ask(db, a, names, out);
    if (fault != FAULT_NONE)
        return fault;
    if (strlen(client_id) > TOKEN_CLIENT_MAX || strlen(ims_org_id) > SCOPE_ORG_MAX ||
        strlen(sandbox_name) > SCOPE_SANDBOX_MAX)
        return FAULT_NONE; /* too long to keep, and for the registry to know */
    e->until_ms = now + cache_ms;
    str_copy_fitting(e->client_id, sizeof e->client_id, client_id);
    str_copy_fitting(e->ims_org_id, sizeof e->ims_org_id, ims_org_id);
    str_copy_fitting(e->sandbox_name, sizeof e->sandbox_name, sandbox_name);
    e->answer = *out;
    return FAULT_NONE;
}
