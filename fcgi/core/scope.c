/*
 * scope: asking the registry who may do what. See scope.h.
 */
#include "core/scope.h"

#include <stdint.h>
#include <string.h>

#include "core/right.h"
#include "core/stmt_api.h"
#include "lib/clock.h"
#include "lib/crypto.h"
#include "lib/shared_table.h"
#include "lib/str.h"

#define SCOPE_VERSION_MAX 36                    /* a uuid */
#define SCOPE_KEEP_MS (60 * INT64_C(1000))      /* of an answer; then it makes room for others */
#define SCOPE_NAMES_MAX (SCOPE_VERSION_MAX + TOKEN_CLIENT_MAX + SCOPE_ORG_MAX + SCOPE_SANDBOX_MAX + 4)

/* Which version of the registry is the present one, as far as is known. */
struct scope_latest {
    int64_t asked_ms; /* by the monotonic clock, before the registry was asked */
    char version[SCOPE_VERSION_MAX + 1];
};

struct scope_cache {
    struct shared_table *latest;  /* one struct scope_latest, under LATEST */
    struct shared_table *answers; /* struct scope_answer */
};

static const unsigned char LATEST[CRYPTO_SHA256_BYTES] = "the registry's version";

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

struct scope_cache *scope_cache_new(void)
{
    static struct scope_cache cache;
    cache.latest = shared_table_new(2, sizeof(struct scope_latest));
    cache.answers = shared_table_new(SCOPE_CACHE_SLOTS, sizeof(struct scope_answer));
    return cache.latest == NULL || cache.answers == NULL ? NULL : &cache;
}

/* The key of an answer. False: a name is longer than the registry knows any. */
static bool scope_key(const char *version, const char *const *names, unsigned char *key)
{
    char input[SCOPE_NAMES_MAX];
    size_t length = 0;
    const char *const part[] = {version, names[0], names[1], names[2]};
    static const size_t MOST[] = {SCOPE_VERSION_MAX, TOKEN_CLIENT_MAX, SCOPE_ORG_MAX, SCOPE_SANDBOX_MAX};
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
        size_t bytes = strlen(part[i]);
        if (bytes > MOST[i])
            return false;
        memcpy(input + length, part[i], bytes + 1); /* the terminator keeps the names apart */
        length += bytes + 1;
    }
    crypto_sha256(input, length, key);
    return true;
}

static bool scope_cache_get(const struct scope_cache *cache, const char *const *names, int64_t now_ms, int cache_ms,
                            struct scope_answer *out)
{
    struct scope_latest latest;
    unsigned char key[CRYPTO_SHA256_BYTES];
    return shared_table_get(cache->latest, LATEST, now_ms, &latest) && now_ms - latest.asked_ms < cache_ms &&
           scope_key(latest.version, names, key) && shared_table_get(cache->answers, key, now_ms, out);
}

static void scope_cache_put(const struct scope_cache *cache, const char *const *names, int64_t now_ms,
                            const char *version, const struct scope_answer *answer)
{
    struct scope_latest latest;
    unsigned char key[CRYPTO_SHA256_BYTES];
    memset(&latest, 0, sizeof latest);
    latest.asked_ms = now_ms;
    str_copy_fitting(latest.version, sizeof latest.version, version);
    if (!scope_key(version, names, key))
        return;
    shared_table_put(cache->answers, key, now_ms + SCOPE_KEEP_MS, answer);
    shared_table_put(cache->latest, LATEST, now_ms + SCOPE_KEEP_MS, &latest);
}

enum fault scope_find(struct db *db, const struct scope_cache *cache, struct arena *a, const char *client_id,
                      const char *ims_org_id, const char *sandbox_name, int cache_ms, struct scope_answer *out)
{
    const char *const names[] = {client_id, ims_org_id, sandbox_name};
    int64_t now_ms = clock_monotonic_ms();
    if (scope_cache_get(cache, names, now_ms, cache_ms, out)) {
        out->asked = false;
        return FAULT_NONE;
    }
    struct db_rows rows;
    enum fault fault = db_call(db, a, 0, &STMT_SCOPE_FIND, names, &rows);
    if (fault != FAULT_NONE)
        return fault;
    if (rows.count != 1)
        return FAULT_INTERNAL;
    memset(out, 0, sizeof *out); /* also what the compiler leaves between members */
    out->client_active = db_bool(&rows, 0, 0);
    out->entitled = db_bool(&rows, 0, 1);
    out->org = (int)db_int(&rows, 0, 2);
    out->sandbox = (int)db_int(&rows, 0, 3);
    out->rights = right_parse(db_text(&rows, 0, 4), NULL);
    out->asked = true;
    scope_cache_put(cache, names, now_ms, db_text(&rows, 0, 5), out);
    return FAULT_NONE;
}
