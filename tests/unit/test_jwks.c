/*
 * test_jwks: which sets are taken whole, which keys of them are left out, and how a key is found.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/jwks.h"
#include "forge.h"
#include "scratch.h"
#include "vectors.h"

#define N(array) (sizeof(array) / sizeof(array)[0])
#define RSA(kid) "{" VECTOR_RSA ",\"kid\":\"" kid "\"}"
#define EC(kid) "{" VECTOR_EC ",\"kid\":\"" kid "\"}"
#define ED(kid) "{" VECTOR_ED ",\"kid\":\"" kid "\"}"
#define BARE "{" VECTOR_EC "}"
#define OCT(kid) "{" VECTOR_HMAC ",\"kid\":\"" kid "\"}"

#define NO_ARRAY "there is no array of keys, or it is too long"
#define NO_KEY "there is no key that can be used"
#define TWICE "two keys have the same kid"

static struct arena *arena;
static char said[65536];

static int set_up(void **state)
{
    (void)state;
    arena = arena_new(2 * 1024 * 1024);
    return arena == NULL;
}

static int tear_down(void **state)
{
    arena_free(arena);
    return scratch_end(state);
}

/* Reads a set in a block of its exact size; what is logged goes to `said`. */
static struct jwks *read_set(const char *text, size_t length, const char **reason)
{
    struct jwks *set = NULL;
    char *exact = malloc(length > 0 ? length : 1);
    memcpy(exact, text, length);
    int saved = scratch_listen();
    *reason = NULL;
    enum fault fault = jwks_read(arena, "the \"issuer\"", exact, length, &set, reason);
    scratch_heard(saved, said, sizeof said);
    free(exact);
    assert_int_equal(fault, set == NULL ? FAULT_MALFORMED : FAULT_NONE);
    if (set == NULL)
        assert_non_null(*reason);
    return set;
}

static struct jwks *read_text(const char *text)
{
    const char *reason;
    struct jwks *set = read_set(text, strlen(text), &reason);
    assert_non_null(set);
    return set;
}

static size_t lines_of(const char *word)
{
    size_t n = 0;
    for (const char *at = said; (at = strstr(at, word)) != NULL; at++)
        n++;
    return n;
}

/* `count` keys are taken and `left` are left out; or the set is refused for `reason` ("" for any). */
static const struct {
    const char *text, *reason;
    int count;
    size_t left;
} SETS[] = {
    {"{\"keys\":[" RSA("a") "]}", NULL, 1, 0}, {"{\"keys\":[" RSA("a") "," EC("b") "," ED("c") "]}", NULL, 3, 0},
    {" {\r\n\t\"keys\" : [ " RSA("a") " ] } \n", NULL, 1, 0}, {"{\"other\":[],\"keys\":[" RSA("a") "],\"more\":{}}", NULL, 1, 0},
    {"{\"keys\":[" BARE "]}", NULL, 1, 0}, {"{\"keys\":[" BARE "," BARE "]}", NULL, 2, 0},
    {"{\"keys\":[" OCT("a") "," RSA("b") "]}", NULL, 1, 1}, {"{\"keys\":[{},1,null,[],\"x\"," RSA("b") "]}", NULL, 1, 5},
    /* one that is left out does not take an id */
    {"{\"keys\":[" OCT("a") "," RSA("a") "]}", NULL, 1, 1}, {"{\"keys\":[" RSA("a") ",{" VECTOR_RSA ",\"kid\":\"a\",\"use\":\"enc\"}]}", NULL, 1, 1},
    {"{\"keys\":[" RSA("a") "," RSA("A") "]}", NULL, 2, 0}, /* ids have case */
    {"{\"keys\":[" RSA("a") "," RSA("a") "]}", TWICE, 0, 0}, {"{\"keys\":[" RSA("a") "," EC("b") "," ED("a") "]}", TWICE, 0, 0},
    {"{\"keys\":[" RSA("a") "," RSA("\\u0061") "]}", TWICE, 0, 0},
    {"{\"keys\":[]}", NO_KEY, 0, 0}, {"{\"keys\":[" OCT("a") "]}", NO_KEY, 0, 1}, {"{\"keys\":[{},{}]}", NO_KEY, 0, 2},
    {"{\"keys\":[{" VECTOR_P521 "},{" VECTOR_RSA ",\"use\":\"enc\"}]}", NO_KEY, 0, 2},
    {"{}", NO_ARRAY, 0, 0}, {"{\"keys\":{}}", NO_ARRAY, 0, 0}, {"{\"keys\":" RSA("a") "}", NO_ARRAY, 0, 0}, {"{\"keys\":null}", NO_ARRAY, 0, 0},
    {"{\"keys\":\"[]\"}", NO_ARRAY, 0, 0}, {"{\"keys\":1}", NO_ARRAY, 0, 0}, {"{\"Keys\":[" RSA("a") "]}", NO_ARRAY, 0, 0},
    {"[" RSA("a") "]", NO_ARRAY, 0, 0}, {"[{\"keys\":[" RSA("a") "]}]", NO_ARRAY, 0, 0}, {RSA("a"), NO_ARRAY, 0, 0}, {"null", NO_ARRAY, 0, 0},
    {"1", NO_ARRAY, 0, 0}, {"\"keys\"", NO_ARRAY, 0, 0},
    {"", "", 0, 0}, {" ", "", 0, 0}, {"{", "", 0, 0}, {"x", "", 0, 0}, {"{\"keys\":[" RSA("a") "]", "", 0, 0}, {"{\"keys\":[" RSA("a"), "", 0, 0},
    {"{\"keys\":[" RSA("a") ",]}", "", 0, 0}, {"{\"keys\":[" RSA("a") "]}x", "", 0, 0}, {"{\"keys\":[" RSA("a") "]}{}", "", 0, 0},
    {"\xef\xbb\xbf{\"keys\":[" RSA("a") "]}", "", 0, 0}, {"{'keys':[]}", "", 0, 0}, {"{\"keys\":[" RSA("\xff") "]}", "", 0, 0},
    {"{\"keys\":[" RSA("\\ud800") "]}", "", 0, 0}, {"{\"keys\":[" RSA("a\\u0000b") "]}", "", 0, 0},
    /* duplicate members, of the set and of a key, in any spelling */
    {"{\"keys\":[" RSA("a") "],\"keys\":[" RSA("b") "]}", "", 0, 0}, {"{\"keys\":[],\"\\u006beys\":[" RSA("b") "]}", "", 0, 0},
    {"{\"keys\":[{" VECTOR_RSA ",\"kid\":\"a\",\"kid\":\"b\"}]}", "", 0, 0}, {"{\"keys\":[{" VECTOR_RSA ",\"kty\":\"oct\"}]}", "", 0, 0},
    {"{\"keys\":[{" VECTOR_RSA ",\"x\":[[[[[[1]]]]]]}]}", "", 0, 0}, {"-----BEGIN PUBLIC KEY-----\n", "", 0, 0},
};

static void sets_are_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(SETS); i++) {
        const char *reason;
        arena_reset(arena);
        struct jwks *set = read_set(SETS[i].text, strlen(SETS[i].text), &reason);
        const char *wanted = SETS[i].reason;
        if ((set == NULL) != (wanted != NULL) || (wanted != NULL && *wanted != '\0' && strcmp(reason, wanted) != 0))
            fail_msg("set %zu: %s", i, set == NULL ? reason : "taken");
        if (set != NULL && jwks_count(set) != SETS[i].count)
            fail_msg("set %zu: %d keys", i, jwks_count(set));
        if (lines_of("event=key_left_out") != SETS[i].left)
            fail_msg("set %zu: %s", i, said);
        jwks_free(set);
    }
}

static void what_is_left_out_is_logged_with_its_issuer(void **state)
{
    (void)state;
    arena_reset(arena);
    jwks_free(read_text("{\"keys\":[" RSA("a") "," OCT("b") "]}"));
    assert_non_null(strstr(said, "level=warn"));
    assert_non_null(strstr(said, "issuer=\"the \\x22issuer\\x22\"") != NULL ? said : strstr(said, "issuer=\"the \\\"issuer\\\"\""));
    assert_non_null(strstr(said, "number=1"));
    assert_null(strstr(said, VECTOR_HMAC_K));
}

static void keys_are_found_by_id(void **state)
{
    (void)state;
    arena_reset(arena);
    struct jwks *set = read_text("{\"keys\":[" RSA("a") "," EC("b") "," ED("c") "," BARE ",{" VECTOR_EC ",\"kid\":\"\"}]}");
    assert_int_equal(jwks_count(set), 5);
    assert_string_equal(jwk_algorithm(jwks_find(set, "a")), "RS256");
    assert_string_equal(jwk_algorithm(jwks_find(set, "b")), "ES256");
    assert_string_equal(jwk_algorithm(jwks_find(set, "c")), "EdDSA");
    static const char *const NONE[] = {"", "d", "A", "ab", " a", "a ", "../a"};
    for (size_t i = 0; i < N(NONE); i++)
        assert_null(jwks_find(set, NONE[i]));
    assert_null(jwks_find(set, NULL)); /* there are several */
    jwks_free(set);

    set = read_text("{\"keys\":[" BARE "]}");
    assert_non_null(jwks_find(set, NULL));
    assert_null(jwks_find(set, "")); /* a key without an id has none that is named by "" */
    jwks_free(set);

    set = read_text("{\"keys\":[" OCT("x") "," RSA("a") "]}");
    assert_ptr_equal(jwks_find(set, NULL), jwks_find(set, "a")); /* the only one that can be used */
    assert_null(jwks_find(set, "x"));
    jwks_free(set);
    jwks_free(NULL);
}

/* `count` small keys; the ones that cannot be used count too. */
static const char *many(int count, bool usable)
{
    char *text = arena_alloc(arena, (size_t)count * 160 + 32), *to = text;
    to += sprintf(to, "{\"keys\":[");
    for (int i = 0; i < count; i++)
        to += sprintf(to, "%s{%s,\"kid\":\"k%d\"}", i > 0 ? "," : "", usable || i == 0 ? VECTOR_ED : "\"kty\":\"oct\",\"k\":\"AAAA\"", i);
    strcpy(to, "]}");
    return text;
}

static void at_most_a_hundred_keys(void **state)
{
    const char *reason;
    (void)state;
    for (int usable = 0; usable < 2; usable++) {
        arena_reset(arena);
        struct jwks *set = read_text(many(JWKS_KEYS_MAX, usable));
        assert_int_equal(jwks_count(set), usable ? JWKS_KEYS_MAX : 1);
        assert_non_null(jwks_find(set, usable ? "k99" : "k0"));
        jwks_free(set);
        const char *text = many(JWKS_KEYS_MAX + 1, usable);
        assert_null(read_set(text, strlen(text), &reason));
        assert_string_equal(reason, NO_ARRAY);
    }
}

static void at_most_so_many_bytes(void **state)
{
    static const char SMALL[] = "{\"keys\":[" ED("a") "]}";
    const char *reason;
    (void)state;
    arena_reset(arena);
    char *text = arena_alloc(arena, JWKS_TEXT_MAX + 2);
    memset(text, ' ', JWKS_TEXT_MAX + 1);
    memcpy(text, SMALL, strlen(SMALL));
    struct jwks *set = read_set(text, JWKS_TEXT_MAX, &reason);
    assert_non_null(set);
    jwks_free(set);
    assert_null(read_set(text, JWKS_TEXT_MAX + 1, &reason));
}

/* Every beginning of a set, as somebody reads who comes in the middle of a write. */
static void half_a_set_is_refused(void **state)
{
    static const char WHOLE[] = "{\"keys\":[" RSA("a") "," ED("b") "]}";
    const char *reason;
    (void)state;
    for (size_t length = 0; length < strlen(WHOLE); length++) {
        arena_reset(arena);
        if (read_set(WHOLE, length, &reason) != NULL)
            fail_msg("taken at %zu", length);
    }
}

static void the_digest_is_the_text_s(void **state)
{
    unsigned char digest[CRYPTO_SHA256_BYTES];
    static const char FIRST[] = "{\"keys\":[" ED("a") "]}", SECOND[] = "{\"keys\":[" ED("a") "] }";
    (void)state;
    arena_reset(arena);
    struct jwks *one = read_text(FIRST), *same = read_text(FIRST), *other = read_text(SECOND);
    crypto_sha256(FIRST, strlen(FIRST), digest);
    assert_memory_equal(jwks_digest(one), digest, sizeof digest);
    assert_memory_equal(jwks_digest(same), digest, sizeof digest);
    assert_memory_not_equal(jwks_digest(other), digest, sizeof digest);
    jwks_free(one);
    jwks_free(same);
    jwks_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_are_checked),       cmocka_unit_test(what_is_left_out_is_logged_with_its_issuer),
        cmocka_unit_test(keys_are_found_by_id),   cmocka_unit_test(at_most_a_hundred_keys),
        cmocka_unit_test(at_most_so_many_bytes),  cmocka_unit_test(half_a_set_is_refused),
        cmocka_unit_test(the_digest_is_the_text_s),
    };
    return cmocka_run_group_tests_name("jwks", tests, set_up, tear_down);
}
