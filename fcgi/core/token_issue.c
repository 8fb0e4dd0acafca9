/*
 * token_issue: the tokens of our own token endpoint, in the profile of RFC 9068. See token.h.
 */
#include <string.h>

#include "core/token.h"
#include "lib/crypto.h"
#include "lib/jsonio.h"

/* base64url of a tree's compact text, in the arena. */
static char *token_encode(struct arena *a, struct json_object *tree)
{
    size_t length = 0;
    const char *text = jsonio_print(a, tree, &length);
    char *out = text == NULL ? NULL : arena_alloc(a, (length * 4 + 2) / 3 + 1);
    if (out != NULL)
        crypto_base64url((const unsigned char *)text, length, out);
    return out;
}

enum fault token_issue(const struct keys *keys, const struct issuer *own, struct arena *a, const char *client_id,
                       const char *scope, int64_t now_s, int64_t lifetime_s, const char **out)
{
    struct json_object *header = jsonio_own(a, json_object_new_object());
    struct json_object *payload = jsonio_own(a, json_object_new_object());
    if (header == NULL || payload == NULL)
        return FAULT_MEMORY;
    char id[CRYPTO_UUID_TEXT];
    crypto_uuid(id);
    jsonio_add_text(header, "alg", "RS256");
    jsonio_add_text(header, "typ", "at+jwt");
    jsonio_add_text(header, "kid", keys_id(keys));
    jsonio_add_text(payload, "iss", own->name);
    jsonio_add_text(payload, "aud", own->audience);
    jsonio_add_text(payload, "sub", client_id);
    jsonio_add_text(payload, "client_id", client_id);
    jsonio_add_int(payload, "iat", now_s);
    jsonio_add_int(payload, "exp", now_s + lifetime_s);
    jsonio_add_text(payload, "jti", id);
    jsonio_add_text(payload, "scope", scope);
    const char *head = token_encode(a, header), *body = token_encode(a, payload);
    const char *covered = head == NULL || body == NULL ? NULL : arena_printf(a, "%s.%s", head, body);
    if (covered == NULL)
        return FAULT_MEMORY;
    unsigned char signature[KEYS_SIGNATURE_MAX];
    size_t size = sizeof signature;
    char encoded[KEYS_SIGNATURE_MAX * 4 / 3 + 4];
    enum fault fault = keys_sign(keys, covered, strlen(covered), signature, &size);
    if (fault != FAULT_NONE)
        return fault;
    crypto_base64url(signature, size, encoded);
    *out = arena_printf(a, "%s.%s", covered, encoded);
    return *out == NULL ? FAULT_MEMORY : FAULT_NONE;
}
