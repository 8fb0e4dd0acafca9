/*
 * token: making and verifying bearer tokens. See token.h.
 */
#include "core/token.h"

#include <string.h>
#include <strings.h>

#include "lib/crypto.h"
#include "lib/jsonio.h"

/* The three parts of the compact form, as spans of the text. */
struct token_parts {
    const char *part[3];
    size_t length[3];
};

/* Exactly three parts, none empty (RFC 7515 section 3.1). */
static bool token_split(const char *text, size_t length, struct token_parts *out)
{
    size_t start = 0;
    for (int i = 0; i < 3; i++) {
        const char *dot = i < 2 ? memchr(text + start, '.', length - start) : NULL;
        size_t end = i < 2 ? (dot == NULL ? length : (size_t)(dot - text)) : length;
        if ((i < 2 && dot == NULL) || end == start)
            return false;
        out->part[i] = text + start;
        out->length[i] = end - start;
        start = end + 1;
    }
    return memchr(out->part[2], '.', out->length[2]) == NULL;
}

/* Decodes a part that must be one JSON object. NULL: it is not. */
static struct json_object *token_object(struct arena *a, const char *text, size_t length)
{
    size_t size = 0;
    unsigned char *raw = arena_alloc(a, length);
    struct json_object *tree = NULL;
    struct jsonio_refusal broken;
    if (raw == NULL || !crypto_base64url_decode(text, length, raw, &size))
        return NULL;
    struct jscan_limits limits = {.depth = 16, .bytes = TOKEN_TEXT_MAX};
    if (jsonio_parse(a, (const char *)raw, size, limits, &tree, &broken) != FAULT_NONE)
        return NULL;
    return json_object_is_type(tree, json_type_object) ? tree : NULL;
}

static bool token_text_is(struct json_object *object, const char *name, const char *wanted)
{
    const char *text = jsonio_member_text(object, name);
    return text != NULL && strcmp(text, wanted) == 0;
}

static const char *token_check_header(const struct token_rules *rules, struct json_object *header)
{
    bool present;
    (void)jsonio_member(header, "crit", &present);
    if (present)
        return "crit"; /* RFC 7515 section 4.1.11: we understand no extension */
    if (!token_text_is(header, "alg", "RS256"))
        return "alg";
    const char *type = jsonio_member_text(header, "typ");
    if (type == NULL || (strcasecmp(type, "at+jwt") != 0 && strcasecmp(type, "application/at+jwt") != 0))
        return "typ";
    if (!token_text_is(header, "kid", keys_id(rules->keys)))
        return "kid";
    return NULL;
}

/* RFC 7519 section 4.1.3: one audience or an array of them. */
static bool token_audience_is(struct json_object *payload, const char *wanted)
{
    struct json_object *value = jsonio_member(payload, "aud", NULL);
    if (!json_object_is_type(value, json_type_array))
        return token_text_is(payload, "aud", wanted);
    for (size_t i = 0; i < json_object_array_length(value); i++) {
        struct json_object *item = json_object_array_get_idx(value, i);
        if (json_object_is_type(item, json_type_string) && strcmp(json_object_get_string(item), wanted) == 0)
            return true;
    }
    return false;
}

/* A whole number of seconds; jscan bounds it by 2^53, so no sum below overflows. */
static bool token_time(struct json_object *payload, const char *name, bool required, int64_t absent, int64_t *out)
{
    bool present;
    struct json_object *value = jsonio_member(payload, name, &present);
    *out = absent;
    if (!present)
        return !required;
    if (!json_object_is_type(value, json_type_int))
        return false;
    *out = json_object_get_int64(value);
    return true;
}

/* An optional text claim; absent is fine, another type is not. */
static bool token_optional_text(struct json_object *payload, const char *name, const char **out)
{
    bool present;
    struct json_object *value = jsonio_member(payload, name, &present);
    *out = jsonio_member_text(payload, name);
    return !present || (value != NULL && *out != NULL);
}

static const char *token_check_claims(const struct token_rules *rules, struct json_object *payload, int64_t now_s,
                                      struct token_claims *out)
{
    int64_t expires, not_before, issued;
    if (!token_text_is(payload, "iss", rules->issuer))
        return "iss";
    if (!token_audience_is(payload, rules->audience))
        return "aud";
    if (!token_time(payload, "exp", true, 0, &expires) || expires + TOKEN_SKEW_S <= now_s)
        return "exp";
    if (!token_time(payload, "nbf", false, 0, &not_before) || not_before - TOKEN_SKEW_S > now_s)
        return "nbf";
    if (!token_time(payload, "iat", false, 0, &issued) || issued - TOKEN_SKEW_S > now_s)
        return "iat";
    out->client_id = jsonio_member_text(payload, "client_id");
    if (out->client_id == NULL || *out->client_id == '\0' || strlen(out->client_id) > TOKEN_CLIENT_MAX)
        return "client_id";
    if (!token_optional_text(payload, "org", &out->org))
        return "org";
    if (!token_optional_text(payload, "scope", &out->scope))
        return "scope";
    if (out->scope == NULL)
        out->scope = "";
    return NULL;
}

static bool token_signed(const struct token_rules *rules, const struct token_parts *p)
{
    unsigned char signature[KEYS_SIGNATURE_MAX];
    size_t size = 0;
    if (p->length[2] > (KEYS_SIGNATURE_MAX * 4 + 2) / 3 ||
        !crypto_base64url_decode(p->part[2], p->length[2], signature, &size))
        return false;
    size_t covered = (size_t)(p->part[1] - p->part[0]) + p->length[1];
    return keys_verify(rules->keys, p->part[0], covered, signature, size);
}

bool token_verify(const struct token_rules *rules, struct arena *a, const char *text, size_t length, int64_t now_s,
                  struct token_claims *out, const char **reason)
{
    struct token_parts parts;
    *reason = "form";
    if (length > TOKEN_TEXT_MAX || !token_split(text, length, &parts))
        return false;
    struct json_object *header = token_object(a, parts.part[0], parts.length[0]);
    if (header == NULL)
        return false;
    *reason = token_check_header(rules, header);
    if (*reason != NULL)
        return false;
    *reason = "signature";
    if (!token_signed(rules, &parts))
        return false;
    *reason = "form";
    struct json_object *payload = token_object(a, parts.part[1], parts.length[1]);
    if (payload == NULL)
        return false;
    *reason = token_check_claims(rules, payload, now_s, out);
    return *reason == NULL;
}

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

enum fault token_issue(const struct token_rules *rules, struct arena *a, const char *client_id, const char *scope,
                       int64_t now_s, int64_t lifetime_s, const char **out)
{
    struct json_object *header = jsonio_own(a, json_object_new_object());
    struct json_object *payload = jsonio_own(a, json_object_new_object());
    if (header == NULL || payload == NULL)
        return FAULT_MEMORY;
    char id[CRYPTO_UUID_TEXT];
    crypto_uuid(id);
    jsonio_add_text(header, "alg", "RS256");
    jsonio_add_text(header, "typ", "at+jwt");
    jsonio_add_text(header, "kid", keys_id(rules->keys));
    jsonio_add_text(payload, "iss", rules->issuer);
    jsonio_add_text(payload, "aud", rules->audience);
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
    enum fault fault = keys_sign(rules->keys, covered, strlen(covered), signature, &size);
    if (fault != FAULT_NONE)
        return fault;
    crypto_base64url(signature, size, encoded);
    *out = arena_printf(a, "%s.%s", covered, encoded);
    return *out == NULL ? FAULT_MEMORY : FAULT_NONE;
}
