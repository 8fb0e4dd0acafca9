/*
 * fuzz_token: bearer tokens, against issuers with RSA, P-256 and Ed25519 keys in both profiles.
 *
 * Nothing verifies but what was signed. The keys are made at the start, so an input cannot hold a
 * token; it says what to do:
 *   E n edits   token n is changed: three bytes an edit (what, where, with what)
 *   R text      the text is the token
 *   S h NUL p   header and payload are these texts, rightly signed by the Ed25519 key: what is accepted
 *               then obeys contract.md section 2, told a second time below
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/jws.h"
#include "core/right.h"
#include "core/token.h"
#include "fuzz.h"
#include "lib/crypto.h"
#include "lib/jsonio.h"
#include "lib/log.h"
#include "signers.h"

#define NOW 1700000000
#define HEAD(alg, typ, kid) "{\"alg\":\"" alg "\",\"typ\":\"" typ "\",\"kid\":\"" kid "\"}"
#define CLAIMS "\"exp\":1700000600,\"client_id\":\"c1\",\"scope\":\"export:read\"}"

enum { BASE_OWN, BASE_EC, BASE_ED, BASE_IMS, BASES };

static struct issuers *issuers;
static struct arena *arena;
static char *base[BASES];

static bool verify(const char *text, size_t length, int64_t now_s, struct token_claims *claims)
{
    const char *reason = NULL;
    bool good = token_verify(issuers, arena, text, length, now_s, claims, &reason);
    INVARIANT(good || (reason != NULL && *reason != '\0'));
    return good;
}

/* The parts in base64url, signed. The caller frees it. */
static char *sign(enum signer signer, const char *header, size_t header_length, const char *payload,
                  size_t payload_length)
{
    unsigned char signature[SIGNER_SIGNATURE_MAX];
    char *text = malloc((header_length + payload_length) * 2 + SIGNER_SIGNATURE_MAX * 2);
    INVARIANT(text != NULL);
    size_t length = crypto_base64url((const unsigned char *)header, header_length, text);
    text[length++] = '.';
    length += crypto_base64url((const unsigned char *)payload, payload_length, text + length);
    size_t size = signer_sign(signer, text, length, signature);
    text[length++] = '.';
    crypto_base64url(signature, size, text + length);
    return text;
}

static char *sign_text(enum signer signer, const char *header, const char *payload)
{
    return sign(signer, header, strlen(header), payload, strlen(payload));
}

/* What is signed verifies in its time, and not outside of it. */
static void check_base(const char *text)
{
    struct token_claims claims;
    INVARIANT(verify(text, strlen(text), NOW, &claims));
    INVARIANT(strcmp(claims.client_id, "c1") == 0 && claims.rights == RIGHT_EXPORT_READ);
    INVARIANT(verify(text, strlen(text), claims.until_s - 1, &claims));
    INVARIANT(!verify(text, strlen(text), claims.until_s, &claims));
    INVARIANT(claims.until_s <= NOW + 600 + TOKEN_SKEW_S);
}

static void start(void)
{
    log_open("fuzz", LOG_ERROR);
    arena = arena_new(4u << 20);
    issuers = issuers_new();
    INVARIANT(arena != NULL && issuers != NULL);
    signers_start(issuers, arena);
    base[BASE_OWN] = sign_text(SIGNER_RSA, HEAD("RS256", "at+jwt", "rsa"),
                               "{\"iss\":\"" SIGNERS_OWN "\",\"aud\":\"" SIGNERS_AUDIENCE "\"," CLAIMS);
    base[BASE_EC] = sign_text(SIGNER_EC, HEAD("ES256", "application/at+jwt", "ec"),
                              "{\"iss\":\"" SIGNERS_OTHER "\",\"aud\":[\"x\",\"" SIGNERS_AUDIENCE "\"]," CLAIMS);
    base[BASE_ED] = sign_text(SIGNER_ED, HEAD("EdDSA", "at+jwt", "ed"),
                              "{\"iss\":\"" SIGNERS_OTHER "\",\"aud\":\"" SIGNERS_AUDIENCE "\"," CLAIMS);
    base[BASE_IMS] = sign_text(SIGNER_ED, "{\"alg\":\"EdDSA\",\"x5u\":\"ims.cer\",\"kid\":\"ed\"}",
                               "{\"as\":\"" SIGNERS_IMS "\",\"type\":\"access_token\",\"created_at\":\"1699999999000\","
                               "\"expires_in\":\"86400000\"," CLAIMS);
    for (int i = 0; i < BASES; i++)
        check_base(base[i]);
}

/* A token with some bytes changed verifies only if the changes undo each other. */
static void run_edits(const uint8_t *edit, size_t size)
{
    const char *original = base[size > 0 ? edit[0] % BASES : 0];
    size_t length = strlen(original), room = length + size + 1;
    char *text = malloc(room);
    struct token_claims claims;
    INVARIANT(text != NULL);
    memcpy(text, original, length);
    for (size_t i = 1; i + 2 < size; i += 3) {
        /* a place near the end is reached by what counts from there */
        size_t at = (edit[i] & 4) != 0 ? length - length * edit[i + 1] / 512 : (size_t)edit[i + 1] * 4 + (edit[i] >> 6);
        at = at < length ? at : length;
        if ((edit[i] & 3) == 0 && at < length)
            text[at] = (char)edit[i + 2];
        else if ((edit[i] & 3) == 1 && at < length)
            memmove(text + at, text + at + 1, --length - at);
        else if ((edit[i] & 3) == 2)
            length = at;
        else if ((edit[i] & 3) == 3) {
            memmove(text + at + 1, text + at, length++ - at);
            text[at] = (char)edit[i + 2];
        }
    }
    char *exact = realloc(text, length > 0 ? length : 1); /* so that a sanitizer sees whoever reads on */
    INVARIANT(exact != NULL);
    bool same = length == strlen(original) && memcmp(exact, original, length) == 0;
    INVARIANT(verify(exact, length, NOW, &claims) == same);
    free(exact);
}

static void run_text(const uint8_t *text, size_t size)
{
    struct token_claims claims;
    INVARIANT(!verify((const char *)text, size, NOW, &claims));
}

static struct json_object *object_of(const char *text, size_t length)
{
    struct jsonio_refusal refusal;
    struct json_object *tree = NULL;
    INVARIANT(fuzz_is_json(text, length, 16));
    INVARIANT(jsonio_parse(arena, text, length, JSCAN_REQUEST_LIMITS, &tree, &refusal) == FAULT_NONE);
    INVARIANT(json_object_is_type(tree, json_type_object));
    return tree;
}

static bool text_is(struct json_object *object, const char *name, const char *wanted)
{
    const char *text = jsonio_member_text(object, name);
    return text != NULL && strcmp(text, wanted) == 0;
}

static bool absent(struct json_object *object, const char *name)
{
    return !json_object_object_get_ex(object, name, NULL);
}

static bool audience_good(struct json_object *payload)
{
    struct json_object *aud = jsonio_member(payload, "aud", NULL);
    bool found = text_is(payload, "aud", SIGNERS_AUDIENCE);
    for (size_t i = 0; json_object_is_type(aud, json_type_array) && i < json_object_array_length(aud); i++) {
        struct json_object *one = json_object_array_get_idx(aud, i);
        found = found || (json_object_is_type(one, json_type_string) &&
                          strcmp(json_object_get_string(one), SIGNERS_AUDIENCE) == 0);
    }
    return found;
}

/* A time that is absent or a whole number, at most `most`. */
static bool time_within(struct json_object *payload, const char *name, int64_t most)
{
    struct json_object *value = jsonio_member(payload, name, NULL);
    return absent(payload, name) || (json_object_is_type(value, json_type_int) && json_object_get_int64(value) <= most);
}

/* Everything that must hold of a token that is accepted. */
static void check_accepted(struct json_object *header, struct json_object *payload, const struct token_claims *claims)
{
    const char *client = jsonio_member_text(payload, "client_id"), *org = jsonio_member_text(payload, "org");
    bool ims = text_is(payload, "iss", SIGNERS_IMS) || (absent(payload, "iss") && text_is(payload, "as", SIGNERS_IMS));
    INVARIANT(text_is(header, "alg", "EdDSA") && text_is(header, "kid", "ed"));
    INVARIANT(absent(header, "crit") && absent(header, "b64"));
    INVARIANT(client != NULL && strlen(client) >= 1 && strcmp(client, claims->client_id) == 0);
    INVARIANT(absent(payload, "org") ? claims->org[0] == '\0' : org != NULL && strcmp(org, claims->org) == 0);
    INVARIANT(absent(payload, "scope") || jsonio_member_text(payload, "scope") != NULL);
    INVARIANT(claims->rights != 0 && (claims->rights & ~(unsigned)RIGHT_ALL) == 0);
    INVARIANT(time_within(payload, "nbf", NOW + TOKEN_SKEW_S) && time_within(payload, "iat", NOW + TOKEN_SKEW_S));
    INVARIANT(claims->until_s > NOW && time_within(payload, "exp", INT64_MAX));
    if (!absent(payload, "exp"))
        INVARIANT(claims->until_s <= json_object_get_int64(jsonio_member(payload, "exp", NULL)) + TOKEN_SKEW_S);
    if (ims) {
        INVARIANT(text_is(payload, "type", "access_token"));
        INVARIANT(!absent(payload, "exp") || (!absent(payload, "created_at") && !absent(payload, "expires_in")));
    } else {
        INVARIANT(text_is(payload, "iss", SIGNERS_OTHER) && audience_good(payload) && !absent(payload, "exp"));
        INVARIANT(jsonio_member_text(header, "typ") != NULL);
    }
}

static void run_signed(const uint8_t *data, size_t size)
{
    const uint8_t *gap = memchr(data, '\0', size);
    struct token_claims claims;
    if (gap == NULL)
        return;
    const char *header = (const char *)data, *payload = (const char *)gap + 1;
    size_t header_length = (size_t)(gap - data), payload_length = size - header_length - 1;
    char *text = sign(SIGNER_ED, header, header_length, payload, payload_length);
    if (verify(text, strlen(text), NOW, &claims)) {
        INVARIANT(strlen(text) <= JWS_TEXT_MAX);
        check_accepted(object_of(header, header_length), object_of(payload, payload_length), &claims);
        INVARIANT(!verify(text, strlen(text) - 1, NOW, &claims));
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (issuers == NULL)
        start();
    arena_reset(arena);
    if (size > 0 && data[0] == 'E')
        run_edits(data + 1, size - 1);
    else if (size > 0 && data[0] == 'S')
        run_signed(data + 1, size - 1);
    else if (size > 0)
        run_text(data + 1, size - 1);
    arena_reset(arena);
    return 0;
}
