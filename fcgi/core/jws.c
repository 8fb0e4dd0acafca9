/*
 * jws: taking a token apart and verifying it. See jws.h.
 */
#include "core/jws.h"

#include <string.h>

#include "lib/crypto.h"

/* Decodes a part into the arena. NULL: not canonical base64url. */
static const char *jws_decode(struct arena *a, const char *text, size_t length, size_t *size)
{
    char *raw = arena_alloc(a, length + 1);
    return raw != NULL && crypto_base64url_decode(text, length, (unsigned char *)raw, size) ? raw : NULL;
}

bool jws_split(struct arena *a, const char *text, size_t length, struct jws *out)
{
    size_t header_length;
    struct jsonio_refusal broken;
    struct jscan_limits limits = {.depth = 16, .bytes = JWS_TEXT_MAX};
    const char *first = length > JWS_TEXT_MAX ? NULL : memchr(text, '.', length);
    const char *second = first == NULL ? NULL : memchr(first + 1, '.', length - (size_t)(first + 1 - text));
    if (second == NULL || first == text || second == first + 1)
        return false;
    out->covered = text;
    out->covered_length = (size_t)(second - text);
    out->signature = second + 1;
    out->signature_length = length - out->covered_length - 1;
    if (out->signature_length == 0 || memchr(out->signature, '.', out->signature_length) != NULL)
        return false;
    const char *header = jws_decode(a, text, (size_t)(first - text), &header_length);
    out->payload = jws_decode(a, first + 1, (size_t)(second - first - 1), &out->payload_length);
    if (header == NULL || out->payload == NULL)
        return false;
    return jsonio_parse(a, header, header_length, limits, &out->header, &broken) == FAULT_NONE &&
           json_object_is_type(out->header, json_type_object);
}

/* The key that the header names. */
static const struct jwk *jws_key(const struct jws *token, const struct jwks *keys, bool need_kid)
{
    bool present;
    const char *kid = jsonio_member_text(token->header, "kid");
    (void)jsonio_member(token->header, "kid", &present);
    if (present ? kid == NULL : need_kid)
        return NULL;
    return jwks_find(keys, kid);
}

bool jws_verify(const struct jws *token, const struct jwks *keys, bool need_kid, const char **reason)
{
    unsigned char signature[JWK_SIGNATURE_MAX + 2];
    size_t size = 0;
    bool present;
    *reason = "crit";
    (void)jsonio_member(token->header, "crit", &present);
    if (present)
        return false;
    *reason = "b64"; /* RFC 7797: an unencoded payload must be announced by crit, and is not taken */
    (void)jsonio_member(token->header, "b64", &present);
    if (present)
        return false;
    *reason = "kid";
    const struct jwk *key = jws_key(token, keys, need_kid);
    if (key == NULL)
        return false;
    *reason = "alg";
    const char *algorithm = jsonio_member_text(token->header, "alg");
    if (algorithm == NULL || strcmp(algorithm, jwk_algorithm(key)) != 0)
        return false;
    *reason = "signature";
    return token->signature_length <= (JWK_SIGNATURE_MAX * 4 + 2) / 3 &&
           crypto_base64url_decode(token->signature, token->signature_length, signature, &size) &&
           jwk_verify(key, token->covered, token->covered_length, signature, size);
}
