/*
 * test_token: a token of ours verifies; one that was touched in any way does not.
 */
#include "token_maker.h"

static void what_is_issued_verifies(void **state)
{
    static const struct {
        const char *client, *scope;
        unsigned rights;
    } row[] = {{"c1", "export:read files:read", RIGHT_EXPORT_READ | RIGHT_FILES_READ}, {"c2", "", RIGHT_ALL}, {"c3", NULL, RIGHT_ALL},
               {C64 C64, "x", RIGHT_ALL}, {"a\"\\\xc3\xa9", "openid,export:write", RIGHT_EXPORT_WRITE}};
    const char *token, *again;
    (void)state;
    for (size_t i = 0; i < N(row); i++) {
        arena_reset(arena);
        assert_int_equal(issue(row[i].client, row[i].scope, &token), FAULT_NONE);
        assert_null(verify(token));
        assert_string_equal(claims.client_id, row[i].client);
        assert_int_equal(claims.rights, row[i].rights);
        assert_string_equal(claims.org, "");
        assert_int_equal(claims.until_s, NOW + 3600 + TOKEN_SKEW_S);
        assert_int_equal(issue(row[i].client, row[i].scope, &again), FAULT_NONE);
        assert_string_not_equal(token, again); /* each has an id of its own */
        assert_null(verify_at(token, strlen(token), NOW + 3600 + 29));
        assert_string_equal(verify_at(token, strlen(token), NOW + 3600 + 30), "exp");
        assert_null(verify_at(token, strlen(token), NOW - 30));
        assert_string_equal(verify_at(token, strlen(token), NOW - 31), "iat");
    }
}

/* Another key, another name, another audience: any one of them is enough. */
static void another_issuer_refuses_it(void **state)
{
    const char *token;
    (void)state;
    arena_reset(arena);
    assert_int_equal(issue("c1", "", &token), FAULT_NONE);
    token = strdup(token);
    struct issuers *kept = issuers;
    const struct {
        const char *name, *audience, *reason;
        const struct keys *keys;
    } row[] = {{ISSUER, "consign", NULL, ours}, {ISSUER, "consign", "kid", others}, {ISSUER "/", "consign", "iss", ours}, {ISSUER, "consig", "aud", ours}};
    for (size_t i = 0; i < N(row); i++) {
        arena_reset(arena);
        issuers = list_of(row[i].name, row[i].audience, row[i].keys);
        assert_reason(i, token, row[i].reason);
        issuers_free(issuers);
    }
    issuers = issuers_new(); /* nobody may issue */
    assert_string_equal(verify(token), "iss");
    issuers_free(issuers);
    issuers = kept;
    free((char *)token);
}

/* `made` is what is signed and `end` what follows it. H and P are the good header and payload, S the
 * signature of `made`; C, D and T are P, H and S with an unused bit set; U is S with a byte changed,
 * W the signature by another key. */
static const struct {
    const char *made, *end, *reason;
} FORMS[] = {
    {"H.P", ".S", NULL},
    {"", "", "form"}, {".", "", "form"}, {"..", "", "form"}, {"...", "", "form"}, {"H", "", "form"}, {"H.", "", "form"},
    {"H.P", "", "form"}, {"H.P", ".", "form"}, {".P", ".S", "form"}, {"H.", ".S", "form"}, {".", ".S", "form"},
    {"H..P", ".S", "form"}, {".H.P", ".S", "form"}, {"H.P.P", ".S", "form"}, {"H.P", ".S.", "form"}, {"H.P", ".S.S", "form"},
    {"H.P", "..S", "form"}, {"HP", ".S", "form"}, {"H", ".S", "form"},
    {"H=.P", ".S", "form"}, {"H.P=", ".S", "form"}, {"H.P==", ".S", "form"}, {"H.P", ".S=", "signature"}, {"H.P", ".S==", "signature"},
    {" H.P", ".S", "form"}, {"H .P", ".S", "form"}, {"H. P", ".S", "form"}, {"H.P ", ".S", "form"}, {"H.P", ". S", "signature"},
    {"H.P", ".S ", "signature"}, {"H.P\n", ".S", "form"}, {"H\n.P", ".S", "form"}, {"\nH.P", ".S", "form"}, {"H.P", ".S\n", "signature"},
    {"H.P", ".S\r\n", "signature"}, {"H.P", ".\tS", "signature"}, {"Bearer H.P", ".S", "form"}, {"\"H.P", ".S\"", "form"},
    {"D.P", ".S", "form"}, {"H.C", ".S", "form"}, {"H.P", ".T", "signature"},
    {"H.P", ".U", "signature"}, {"H.P", ".W", "signature"}, {"H.P", ".SA", "signature"}, {"H.P", ".SSSS", "signature"},
    {"H.P", ".AAAA", "signature"}, {"H.P", ".A", "signature"}, {"H.P", ".P", "signature"}, {"H.P", ".H", "signature"},
    {"P.H", ".S", "iss"}, {"P.P", ".S", "kid"}, {"H.H", ".S", "iss"}, {"H/.P", ".S", "form"}, {"H+.P", ".S", "form"},
    {"H.P\xc3\xa9", ".S", "form"}, {"H.P;", ".S", "form"},
};

/* The text with the last digit's lowest unused bit set: the same bytes to a lenient decoder. */
static const char *loose(const char *text)
{
    static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char *out = arena_text(arena, text);
    size_t length = strlen(out);
    assert_int_not_equal(length % 4, 0);
    out[length - 1] = ALPHABET[strchr(ALPHABET, out[length - 1]) - ALPHABET + 1];
    return out;
}

static const char *changed(const char *text, size_t at)
{
    char *out = arena_text(arena, text);
    out[at] = out[at] == 'A' ? 'B' : 'A';
    return out;
}

/* Puts the parts in. `covered` is the text before the signature, NULL while that is being made. */
static const char *expand(const char *form, const char *covered)
{
    /* with blanks so that both have unused bits */
    const char *h = encode("{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"KID\"}   ", ours), *p = encode(PAYLOAD "  ", ours);
    if (strlen(h) % 4 == 0 || strlen(p) % 4 == 0)
        fail_msg("header %zu, payload %zu digits: change the blanks", strlen(h), strlen(p));
    const char *out = "";
    for (; *form != '\0'; form++) {
        const char one[2] = {*form, '\0'}, *piece = one;
        switch (*form) {
        case 'H': piece = h; break;
        case 'P': piece = p; break;
        case 'D': piece = loose(h); break;
        case 'C': piece = loose(p); break;
        case 'S': piece = covered == NULL ? one : sign(covered, ours); break;
        case 'T': piece = covered == NULL ? one : loose(sign(covered, ours)); break;
        case 'U': piece = covered == NULL ? one : changed(sign(covered, ours), 100); break;
        case 'W': piece = covered == NULL ? one : sign(covered, others); break;
        default: break;
        }
        out = arena_printf(arena, "%s%s", out, piece);
    }
    return out;
}

static void forms_are_strict(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(FORMS); i++) {
        arena_reset(arena);
        const char *covered = expand(FORMS[i].made, NULL);
        assert_reason(i, arena_printf(arena, "%s%s", covered, expand(FORMS[i].end, covered)), FORMS[i].reason);
    }
}

static const struct {
    const char *header, *reason;
} HEADERS[] = {
    {HEADER, NULL},
    {"{\"alg\":\"RS256\",\"typ\":\"AT+JWT\",\"kid\":\"KID\"}", NULL}, /* a media type: case makes no difference */
    {"{\"alg\":\"RS256\",\"typ\":\"application/at+jwt\",\"kid\":\"KID\"}", NULL},
    {"{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"KID\",\"x5u\":\"https://evil.example\",\"other\":[1]}", NULL},
    {"{\"alg\":\"none\",\"typ\":\"at+jwt\",\"kid\":\"KID\"}", "alg"},
    {"{\"alg\":\"None\",\"typ\":\"at+jwt\",\"kid\":\"KID\"}", "alg"},
    {"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"KID\"}", "alg"},
    {"{\"alg\":\"RS384\",\"typ\":\"at+jwt\",\"kid\":\"KID\"}", "alg"},
    {"{\"alg\":\"RS512\",\"typ\":\"at+jwt\",\"kid\":\"KID\"}", "alg"},
    {"{\"alg\":\"PS256\",\"typ\":\"at+jwt\",\"kid\":\"KID\"}", "alg"},
    {"{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"KID\"}", "alg"},
    {"{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"KID\"}", "alg"},
    {"{\"alg\":\"rs256\",\"typ\":\"at+jwt\",\"kid\":\"KID\"}", "alg"},
    {"{\"alg\":\"RS256 \",\"typ\":\"at+jwt\",\"kid\":\"KID\"}", "alg"},
    {"{\"alg\":\"RS2567\",\"typ\":\"at+jwt\",\"kid\":\"KID\"}", "alg"},
    {"{\"alg\":\"\",\"typ\":\"at+jwt\",\"kid\":\"KID\"}", "alg"},
    {"{\"alg\":null,\"typ\":\"at+jwt\",\"kid\":\"KID\"}", "alg"},
    {"{\"alg\":256,\"typ\":\"at+jwt\",\"kid\":\"KID\"}", "alg"},
    {"{\"alg\":[\"RS256\"],\"typ\":\"at+jwt\",\"kid\":\"KID\"}", "alg"},
    {"{\"typ\":\"at+jwt\",\"kid\":\"KID\"}", "alg"},
    {"{\"ALG\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"KID\"}", "alg"},
    {"{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"KID\",\"crit\":[\"exp\"]}", "crit"},
    {"{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"KID\",\"crit\":[]}", "crit"},
    {"{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"KID\",\"crit\":null}", "crit"},
    {"{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"KID\",\"b64\":false,\"crit\":[\"b64\"]}", "crit"},
    {"{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"KID\",\"b64\":false}", "b64"},
    {"{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"KID\",\"b64\":true}", "b64"},
    {"{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"other\"}", "kid"},
    {"{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"\"}", "kid"},
    {"{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"KIDx\"}", "kid"},
    {"{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"../ims-signing.pem\"}", "kid"},
    {"{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"' OR 1=1 --\"}", "kid"},
    {"{\"alg\":\"RS256\",\"typ\":\"at+jwt\"}", "kid"},
    {"{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":null}", "kid"},
    {"{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":1}", "kid"},
    {"{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":[\"KID\"]}", "kid"},
    {"{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":{\"KID\":1}}", "kid"},
    {"{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"KID\"}", "typ"}, /* an ID token's */
    {"{\"alg\":\"RS256\",\"kid\":\"KID\"}", "typ"},
    {"{\"alg\":\"RS256\",\"typ\":\"\",\"kid\":\"KID\"}", "typ"},
    {"{\"alg\":\"RS256\",\"typ\":null,\"kid\":\"KID\"}", "typ"},
    {"{\"alg\":\"RS256\",\"typ\":[\"at+jwt\"],\"kid\":\"KID\"}", "typ"},
    {"{\"alg\":\"RS256\",\"typ\":\"at+jwt \",\"kid\":\"KID\"}", "typ"},
    {"{\"alg\":\"RS256\",\"typ\":\"dpop+jwt\",\"kid\":\"KID\"}", "typ"},
    {"{\"alg\":\"RS256\",\"typ\":\"logout+jwt\",\"kid\":\"KID\"}", "typ"},
    {"{\"alg\":\"RS256\",\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"KID\"}", "form"},
    {"{\"alg\":\"none\",\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"KID\"}", "form"},
    {"{\"alg\":\"RS256\",\"\\u0061lg\":\"none\",\"typ\":\"at+jwt\",\"kid\":\"KID\"}", "form"},
    {"{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"typ\":\"at+jwt\",\"kid\":\"KID\"}", "form"},
    {"{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"x\",\"kid\":\"KID\"}", "form"},
    {"{\"alg\":\"RS256\\u0000\",\"typ\":\"at+jwt\",\"kid\":\"KID\"}", "form"},
    {"[" HEADER "]", "form"}, {"\"RS256\"", "form"}, {"null", "form"}, {"1", "form"}, {"{}", "kid"}, {"x", "form"}, {" ", "form"},
    {HEADER "x", "form"}, {HEADER HEADER, "form"}, {"\xef\xbb\xbf" HEADER, "form"}, {"{\"alg\":\"RS256\",", "form"},
    {"{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"KID\",}", "form"}, {"{'alg':'RS256'}", "form"},
    {"{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"KID\",\"x\":\"\xff\"}", "form"},
    {"{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"KID\",\"x\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}", "form"},
};

static void headers_are_strict(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(HEADERS); i++) {
        arena_reset(arena);
        assert_reason(i, make(HEADERS[i].header, PAYLOAD), HEADERS[i].reason);
    }
}

/* Each digit of a good token in turn becomes another one. The last digit of the signature has unused
 * bits, which forms_are_strict() covers. */
static void every_changed_digit_is_refused(void **state)
{
    (void)state;
    arena_reset(arena);
    const char *token = make(HEADER, PAYLOAD);
    assert_null(verify(token));
    size_t length = strlen(token);
    for (size_t at = 0; at < length; at++) {
        arena_reset(arena);
        token = make(HEADER, PAYLOAD);
        if (token[at] != '.' && verify(changed(token, at)) == NULL)
            fail_msg("digit %zu may be changed", at);
        assert_non_null(verify_at(token, at, NOW));
    }
}

/* RS256's public key as the secret of HS256 (RFC 8725 section 2.1), with either name in the header. */
static void hmac_with_the_public_key_is_refused(void **state)
{
    static const char *const HEADERS_OF[] = {HEADER, "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"KID\"}"};
    static const char *const REASONS[] = {"signature", "alg"};
    (void)state;
    for (size_t i = 0; i < N(HEADERS_OF); i++) {
        unsigned char mac[EVP_MAX_MD_SIZE];
        unsigned length = 0;
        char encoded[128];
        arena_reset(arena);
        const char *secret = keys_jwks(ours);
        const char *covered = arena_printf(arena, "%s.%s", encode(HEADERS_OF[i], ours), encode(PAYLOAD, ours));
        HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)covered, strlen(covered), mac, &length);
        crypto_base64url(mac, length, encoded);
        assert_reason(i, arena_printf(arena, "%s.%s", covered, encoded), REASONS[i]);
    }
}

/* Key material and addresses in the header choose nothing: our key's signature still counts, and no other. */
static void keys_in_the_header_are_never_used(void **state)
{
    static const char *const MEMBERS[] = {"\"jwk\":", "\"jku\":", "\"x5u\":", "\"x5c\":", "\"jwks\":", "\"x5t\":"};
    (void)state;
    for (size_t i = 0; i < N(MEMBERS); i++) {
        arena_reset(arena);
        const char *set = keys_jwks(others), *key = strchr(set, '[') + 1;
        const char *value = i == 0   ? arena_printf(arena, "%.*s", (int)(strlen(key) - 2), key)
                            : i == 4 ? set
                            : i == 3 ? "[\"MIIB\"]"
                                     : "\"http://127.0.0.1:1/jwks\"";
        const char *header = arena_printf(arena, "{%s%s,\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}", MEMBERS[i],
                                          value, keys_id(ours));
        const char *covered = arena_printf(arena, "%s.%s", encode(header, ours), encode(PAYLOAD, ours));
        assert_reason(i, arena_printf(arena, "%s.%s", covered, sign(covered, ours)), NULL);
        assert_reason(i, arena_printf(arena, "%s.%s", covered, sign(covered, others)), "signature");
    }
    arena_reset(arena);
    const char *covered = arena_printf(arena, "%s.%s", encode(HEADER, others), encode(PAYLOAD, others));
    assert_reason(0, arena_printf(arena, "%s.%s", covered, sign(covered, others)), "kid");
}

static void long_tokens_are_refused(void **state)
{
    bool taken = false, refused = false;
    (void)state;
    for (int blanks = 5000; blanks < 6200; blanks += 10) {
        arena_reset(arena);
        const char *token = make(HEADER, arena_printf(arena, "%s%*s", PAYLOAD, blanks, ""));
        bool fits = strlen(token) <= JWS_TEXT_MAX;
        assert_reason((size_t)blanks, token, fits ? NULL : "form");
        taken = taken || fits;
        refused = refused || !fits;
    }
    assert_true(taken && refused);
}

static void without_memory_nothing_verifies(void **state)
{
    (void)state;
    arena_reset(arena);
    const char *token = make(HEADER, PAYLOAD), *reason, *out;
    struct arena *small = arena_new(64);
    assert_false(token_verify(issuers, small, token, strlen(token), NOW, &claims, &reason));
    arena_reset(small);
    assert_int_equal(token_issue(ours, &issuers->issuer[0], small, "c1", "", NOW, 60, &out), FAULT_MEMORY);
    arena_free(small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_issued_verifies),           cmocka_unit_test(another_issuer_refuses_it),
        cmocka_unit_test(forms_are_strict),                  cmocka_unit_test(headers_are_strict),
        cmocka_unit_test(every_changed_digit_is_refused),    cmocka_unit_test(hmac_with_the_public_key_is_refused),
        cmocka_unit_test(keys_in_the_header_are_never_used), cmocka_unit_test(long_tokens_are_refused),
        cmocka_unit_test(without_memory_nothing_verifies),
    };
    return cmocka_run_group_tests_name("token", tests, set_up, tear_down);
}
