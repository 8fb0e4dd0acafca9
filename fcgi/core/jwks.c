/*
 * jwks: the keys of one issuer. See jwks.h.
 */
#include "core/jwks.h"

#include <stdlib.h>
#include <string.h>

#include "lib/jsonio.h"
#include "lib/log.h"

struct jwks {
    int count;
    struct jwk *key[JWKS_KEYS_MAX];
    unsigned char digest[CRYPTO_SHA256_BYTES];
    char *text;
};

void jwks_free(struct jwks *set)
{
    if (set == NULL)
        return;
    for (int i = 0; i < set->count; i++)
        jwk_free(set->key[i]);
    free(set->text);
    free(set);
}

const struct jwk *jwks_find(const struct jwks *set, const char *kid)
{
    if (kid == NULL)
        return set->count == 1 ? set->key[0] : NULL;
    for (int i = 0; i < set->count; i++) {
        if (*kid != '\0' && strcmp(jwk_id(set->key[i]), kid) == 0)
            return set->key[i];
    }
    return NULL;
}

int jwks_count(const struct jwks *set)
{
    return set->count;
}

const char *jwks_text(const struct jwks *set)
{
    return set->text;
}

const unsigned char *jwks_digest(const struct jwks *set)
{
    return set->digest;
}

/* Adds the keys of the array. */
static const char *jwks_fill(struct jwks *set, const char *whose, struct json_object *keys)
{
    for (size_t i = 0; i < json_object_array_length(keys); i++) {
        const char *reason;
        struct jwk *key = jwk_read(json_object_array_get_idx(keys, i), &reason);
        if (key == NULL) {
            log_event(LOG_WARN, "key_left_out", "issuer=%s number=%zu reason=\"%s\"", log_quote(whose), i, reason);
            continue;
        }
        if (jwks_find(set, jwk_id(key)) != NULL) {
            jwk_free(key);
            return "two keys have the same kid";
        }
        set->key[set->count++] = key;
    }
    return set->count == 0 ? "there is no key that can be used" : NULL;
}

enum fault jwks_read(struct arena *a, const char *whose, const char *text, size_t length, struct jwks **out,
                     const char **reason)
{
    struct json_object *tree = NULL;
    struct jsonio_refusal broken = {0, "no memory"};
    struct jscan_limits limits = {.depth = 8, .bytes = JWKS_TEXT_MAX};
    enum fault fault = jsonio_parse(a, text, length, limits, &tree, &broken);
    *reason = broken.reason;
    if (fault != FAULT_NONE)
        return fault;
    struct json_object *keys = json_object_is_type(tree, json_type_object) ? jsonio_member(tree, "keys", NULL) : NULL;
    *reason = "there is no array of keys, or it is too long";
    if (!json_object_is_type(keys, json_type_array) || json_object_array_length(keys) > JWKS_KEYS_MAX)
        return FAULT_MALFORMED;
    struct jwks *set = calloc(1, sizeof *set);
    *reason = "no memory";
    if (set == NULL || (set->text = strndup(text, length)) == NULL) {
        free(set);
        return FAULT_MEMORY;
    }
    crypto_sha256(text, length, set->digest);
    *reason = jwks_fill(set, whose, keys);
    if (*reason != NULL) {
        jwks_free(set);
        return FAULT_MALFORMED;
    }
    *out = set;
    return FAULT_NONE;
}
