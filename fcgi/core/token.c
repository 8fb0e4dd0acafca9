/*
 * token: verifying bearer tokens. See token.h. Making them is in token_issue.c.
 */
#include "core/token.h"

#include <string.h>
#include <strings.h>

#include "core/jws.h"
#include "core/right.h"
#include "lib/jsonio.h"
#include "lib/str.h"

#define TOKEN_DIGITS_MAX 15 /* milliseconds as a text: far beyond any date, far from overflow */

static bool token_text_is(struct json_object *object, const char *name, const char *wanted)
{
    const char *text = jsonio_member_text(object, name);
    return text != NULL && strcmp(text, wanted) == 0;
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

/* A whole number of seconds; jscan bounds it by 2^53, so no sum below overflows. *out is `absent` when
 * it is not there. */
static bool token_time(struct json_object *payload, const char *name, int64_t absent, int64_t *out)
{
    bool present;
    struct json_object *value = jsonio_member(payload, name, &present);
    *out = absent;
    if (!present)
        return true;
    if (!json_object_is_type(value, json_type_int))
        return false;
    *out = json_object_get_int64(value);
    return true;
}

/* Milliseconds as a text of digits (profile ims). The length is checked before the conversion. */
static bool token_digits(struct json_object *payload, const char *name, int64_t *out)
{
    const char *text = jsonio_member_text(payload, name);
    size_t digits = text == NULL ? 0 : strspn(text, "0123456789");
    if (digits == 0 || digits > TOKEN_DIGITS_MAX || text[digits] != '\0')
        return false;
    *out = 0;
    for (size_t i = 0; i < digits; i++)
        *out = *out * 10 + (text[i] - '0');
    return true;
}

/* An optional text claim into `out`; another type or a longer text is refused. */
static bool token_optional_text(struct json_object *payload, const char *name, char *out, size_t size)
{
    bool present;
    (void)jsonio_member(payload, name, &present);
    const char *text = jsonio_member_text(payload, name);
    *out = '\0';
    if (!present)
        return true;
    if (text == NULL || strlen(text) >= size)
        return false;
    str_copy_fitting(out, size, text);
    return true;
}

/* RFC 9068 section 2.1: the type keeps ID tokens and others of the same issuer out. */
static const char *token_check_rfc9068(struct json_object *header, struct json_object *payload, const char *audience,
                                       int64_t *expires)
{
    const char *type = jsonio_member_text(header, "typ");
    if (type == NULL || (strcasecmp(type, "at+jwt") != 0 && strcasecmp(type, "application/at+jwt") != 0))
        return "typ";
    bool present;
    (void)jsonio_member(payload, "aud", &present);
    if (!present || (audience != NULL && !token_audience_is(payload, audience)))
        return "aud";
    (void)jsonio_member(payload, "exp", &present);
    return present && token_time(payload, "exp", 0, expires) ? NULL : "exp";
}

/* exp, or created_at + expires_in; when both are there, the earlier. */
static const char *token_check_ims(struct json_object *header, struct json_object *payload, const char *audience,
                                   int64_t now_s, int64_t *expires)
{
    int64_t created_ms, lasts_ms;
    bool has_exp, has_created, has_type;
    const char *type = jsonio_member_text(header, "typ");
    (void)jsonio_member(header, "typ", &has_type);
    if (has_type && (type == NULL || strcasecmp(type, "JWT") != 0))
        return "typ";
    if (!token_text_is(payload, "type", "access_token"))
        return "type";
    if (audience != NULL && !token_audience_is(payload, audience))
        return "aud";
    (void)jsonio_member(payload, "exp", &has_exp);
    (void)jsonio_member(payload, "created_at", &has_created);
    if ((!has_exp && !has_created) || !token_time(payload, "exp", INT64_MAX / 4, expires))
        return "exp";
    if (!has_created)
        return NULL;
    if (!token_digits(payload, "created_at", &created_ms) || !token_digits(payload, "expires_in", &lasts_ms) ||
        created_ms / 1000 - TOKEN_SKEW_S > now_s)
        return "created_at";
    int64_t ends = (created_ms + lasts_ms) / 1000;
    if (ends < *expires)
        *expires = ends;
    return NULL;
}

/* The name that chooses the issuer: `iss`; the reference's tokens have `as` in its place. */
static const char *token_issuer_name(struct json_object *payload, bool ims)
{
    bool present;
    (void)jsonio_member(payload, "iss", &present);
    return jsonio_member_text(payload, present || !ims ? "iss" : "as");
}

bool token_read_claims(struct json_object *header, struct json_object *payload, enum issuer_profile profile,
                       const char *issuer, const char *audience, int64_t now_s, struct token_claims *out,
                       const char **reason)
{
    int64_t expires = 0, not_before, issued;
    bool ims = profile == ISSUER_IMS;
    *out = (struct token_claims){0};
    const char *name = token_issuer_name(payload, ims);
    *reason = "iss";
    if ((name == NULL && (!ims || issuer != NULL)) || (issuer != NULL && strcmp(name, issuer) != 0))
        return false;
    *reason = ims ? token_check_ims(header, payload, audience, now_s, &expires)
                  : token_check_rfc9068(header, payload, audience, &expires);
    if (*reason != NULL)
        return false;
    *reason = "exp";
    out->until_s = expires + TOKEN_SKEW_S;
    if (out->until_s <= now_s)
        return false;
    *reason = "nbf";
    if (!token_time(payload, "nbf", 0, &not_before) || not_before - TOKEN_SKEW_S > now_s)
        return false;
    *reason = "iat";
    if (!token_time(payload, "iat", 0, &issued) || issued - TOKEN_SKEW_S > now_s)
        return false;
    *reason = "client_id";
    if (!token_optional_text(payload, "client_id", out->client_id, sizeof out->client_id) || out->client_id[0] == '\0')
        return false;
    *reason = "org";
    if (!token_optional_text(payload, "org", out->org, sizeof out->org))
        return false;
    bool scoped;
    const char *scope = jsonio_member_text(payload, "scope");
    (void)jsonio_member(payload, "scope", &scoped);
    *reason = "scope";
    if (scoped && scope == NULL)
        return false;
    /* a token can narrow the client's rights, never widen them; names that are no right do neither */
    out->rights = scope == NULL ? 0 : right_parse(scope, NULL);
    if (out->rights == 0)
        out->rights = RIGHT_ALL;
    *reason = NULL;
    return true;
}

/* The issuer that the payload names, in the profile that issuer has. */
static const struct issuer *token_choose_issuer(const struct issuers *issuers, struct json_object *payload)
{
    for (int i = 0; i < issuers->count; i++) {
        const struct issuer *one = &issuers->issuer[i];
        const char *name = token_issuer_name(payload, one->profile == ISSUER_IMS);
        if (name != NULL && strcmp(name, one->name) == 0)
            return one;
    }
    return NULL;
}

bool token_verify(const struct issuers *issuers, struct arena *a, const char *text, size_t length, int64_t now_s,
                  struct token_claims *out, const char **reason)
{
    struct jws jws;
    struct json_object *payload = NULL;
    struct jsonio_refusal broken;
    struct jscan_limits limits = {.depth = 16, .bytes = JWS_TEXT_MAX};
    *reason = "form";
    if (!jws_split(a, text, length, &jws) ||
        jsonio_parse(a, jws.payload, jws.payload_length, limits, &payload, &broken) != FAULT_NONE ||
        !json_object_is_type(payload, json_type_object))
        return false;
    *reason = "iss";
    const struct issuer *issuer = token_choose_issuer(issuers, payload);
    if (issuer == NULL || issuer->keys == NULL)
        return false;
    if (!jws_verify(&jws, issuer->keys, true, reason))
        return false;
    return token_read_claims(jws.header, payload, issuer->profile, issuer->name, issuer->audience, now_s, out, reason);
}
