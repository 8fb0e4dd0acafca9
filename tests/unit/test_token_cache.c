/*
 * test_token_cache: a token that was verified is found again, for as long as it may be, by every
 * process, and nothing else ever is. The table itself: test_shared_table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <sys/wait.h>

#include "core/right.h"
#include "core/token_cache.c" /* NOLINT(bugprone-suspicious-include) */
#include "forge.h"

#define N(array) (sizeof(array) / sizeof(array)[0])
#define NOW 1700000000
#define HEADER "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"k\"}"

static struct arena *arena;
static EVP_PKEY *pair, *stranger;
static struct issuers *list, *other_list;
static struct token_cache *cache;
static struct token_claims claims;

static struct issuers *list_of(const EVP_PKEY *key, const char *kid)
{
    struct issuers *made = issuers_new();
    if (made == NULL || issuers_add_own(made, arena, "own", "consign", forge_jwks(arena, key, kid)) != FAULT_NONE)
        abort();
    return made;
}

static int set_up(void **state)
{
    (void)state;
    arena = arena_new(1024 * 1024);
    pair = forge_p256();
    stranger = forge_p256();
    list = list_of(pair, "k");
    other_list = list_of(stranger, "k");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    issuers_free(list);
    issuers_free(other_list);
    EVP_PKEY_free(pair);
    EVP_PKEY_free(stranger);
    arena_free(arena);
    return 0;
}

static int begin(void **state)
{
    (void)state;
    arena_reset(arena);
    cache = token_cache_new();
    return cache == NULL;
}

static int end(void **state)
{
    (void)state;
    return munmap(cache, sizeof *cache);
}

static const char *token_of(EVP_PKEY *key, int64_t exp_s, const char *more)
{
    return forge_token(arena, key, HEADER,
                       arena_printf(arena, "{\"iss\":\"own\",\"aud\":\"consign\",\"exp\":%lld,\"client_id\":\"c1\"%s}", (long long)exp_s, more));
}

/* The reason of the refusal, NULL when it is good. */
static const char *verify(const struct issuers *issuers, const char *token, int64_t now_s)
{
    const char *reason = NULL;
    memset(&claims, 0, sizeof claims);
    return token_cache_verify(cache, issuers, arena, token, strlen(token), now_s, &claims, &reason) ? NULL : reason;
}

static void assert_figures(uint64_t hits, uint64_t misses)
{
    uint64_t seen_hits, seen_misses;
    token_cache_figures(cache, &seen_hits, &seen_misses);
    assert_int_equal(seen_hits, hits);
    assert_int_equal(seen_misses, misses);
}

static void found_after_the_first_time(void **state)
{
    (void)state;
    const char *token = token_of(pair, NOW + 3600, ",\"org\":\"o@AdobeOrg\",\"scope\":\"export:read\"");
    assert_figures(0, 0);
    for (uint64_t i = 0; i < 4; i++) {
        assert_null(verify(list, token, NOW));
        assert_figures(i, 1);
        assert_string_equal(claims.client_id, "c1");
        assert_string_equal(claims.org, "o@AdobeOrg");
        assert_int_equal(claims.rights, RIGHT_EXPORT_READ);
        assert_int_equal(claims.until_s, NOW + 3600 + TOKEN_SKEW_S);
    }
    assert_null(verify(list, token_of(pair, NOW + 3600, ""), NOW)); /* another token of the same client */
    assert_figures(3, 2);
    assert_int_equal(claims.rights, RIGHT_ALL);
}

static void ends_after_a_minute(void **state)
{
    (void)state;
    const char *token = token_of(pair, NOW + 3600, "");
    assert_null(verify(list, token, NOW));
    assert_null(verify(list, token, NOW + TOKEN_CACHE_S - 1));
    assert_figures(1, 1);
    assert_null(verify(list, token, NOW + TOKEN_CACHE_S)); /* verified anew */
    assert_figures(1, 2);
    assert_null(verify(list, token, NOW + 2 * TOKEN_CACHE_S - 1));
    assert_figures(2, 2);
    assert_int_equal(TOKEN_CACHE_S, 60); /* promise 7 of fcgi/README.md */
}

static void ends_with_the_token(void **state)
{
    (void)state;
    const char *token = token_of(pair, NOW + 10, "");
    assert_null(verify(list, token, NOW));
    assert_null(verify(list, token, NOW + 10 + TOKEN_SKEW_S - 1));
    assert_figures(1, 1);
    assert_string_equal(verify(list, token, NOW + 10 + TOKEN_SKEW_S), "exp");
    assert_string_equal(verify(list, token, NOW + 59), "exp");
    assert_figures(1, 3);
}

static void another_generation_finds_nothing(void **state)
{
    (void)state;
    const char *token = token_of(pair, NOW + 3600, ""), *theirs = token_of(stranger, NOW + 3600, "");
    assert_memory_not_equal(list->generation, other_list->generation, sizeof list->generation);
    assert_null(verify(list, token, NOW));
    assert_string_equal(verify(other_list, token, NOW), "signature"); /* the key is another one now */
    assert_null(verify(other_list, theirs, NOW));
    assert_string_equal(verify(list, theirs, NOW), "signature");
    assert_figures(0, 4);
    assert_null(verify(list, token, NOW)); /* each of them still finds its own */
    assert_null(verify(other_list, theirs, NOW));
    assert_figures(2, 4);
}

static void what_was_refused_is_not_kept(void **state)
{
    (void)state;
    const char *token = token_of(stranger, NOW + 3600, "");
    for (uint64_t i = 1; i < 4; i++) {
        assert_string_equal(verify(list, token, NOW), "signature");
        assert_figures(0, i);
    }
    const char *ended = token_of(pair, NOW - 100, "");
    for (int i = 0; i < 2; i++)
        assert_string_equal(verify(list, ended, NOW), "exp");
    assert_int_equal(token_cache_size(cache, 0), 0); /* nothing was entered, for however short a time */
}

/* A token that is good and known says nothing for one that differs anywhere. */
static void a_changed_token_is_not_found(void **state)
{
    (void)state;
    const char *token = token_of(pair, NOW + 3600, "");
    assert_null(verify(list, token, NOW));
    for (size_t at = 0; token[at] != '\0'; at++) {
        char *changed = arena_text(arena, token);
        changed[at] = changed[at] == 'A' ? 'B' : 'A';
        if (verify(list, changed, NOW) == NULL)
            fail_msg("digit %zu may be changed", at);
    }
    char *longer = arena_printf(arena, "%sA", token);
    assert_non_null(verify(list, longer, NOW));
    longer[strlen(token) - 1] = '\0';
    assert_non_null(verify(list, longer, NOW));
    assert_non_null(verify(list, "", NOW));
    assert_figures(0, 1 + strlen(token) + 3);
}

static void too_long_is_refused_before_it_is_copied(void **state)
{
    (void)state;
    char *text = arena_alloc(arena, 3 * JWS_TEXT_MAX);
    memset(text, 'A', 3 * JWS_TEXT_MAX - 1);
    assert_string_equal(verify(list, text, NOW), "form");
    assert_figures(0, 0);
    text[JWS_TEXT_MAX] = '\0';
    assert_string_equal(verify(list, text, NOW), "form");
    assert_figures(0, 1);
}

/* The status that `work` ends with in a process of its own. */
static int in_a_child(int (*work)(const char *), const char *arg)
{
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(work(arg));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int work_verify(const char *token)
{
    return verify(list, token, NOW) == NULL && strcmp(claims.client_id, "c1") == 0 ? 0 : 1;
}

static void processes_share_it(void **state)
{
    (void)state;
    const char *ours = token_of(pair, NOW + 3600, ",\"jti\":\"1\""), *theirs = token_of(pair, NOW + 3600, ",\"jti\":\"2\"");
    assert_null(verify(list, ours, NOW));
    assert_int_equal(in_a_child(work_verify, ours), 0);
    assert_figures(1, 1);
    assert_int_equal(in_a_child(work_verify, theirs), 0);
    assert_figures(1, 2);
    assert_null(verify(list, theirs, NOW));
    assert_figures(2, 2);
}

/* Claims that fill their room and say n everywhere. */
static void claims_of(unsigned n, struct token_claims *out)
{
    memset(out, 0, sizeof *out);
    out->until_s = NOW + 100 + (int64_t)n;
    out->rights = n;
    memset(out->client_id, (int)('A' + n % 26), TOKEN_CLIENT_MAX - n % 7);
    memset(out->org, (int)('a' + n % 26), TOKEN_ORG_MAX - n % 5);
}

static void the_size_is_of_what_has_not_ended(void **state)
{
    (void)state;
    assert_int_equal(token_cache_size(cache, NOW), 0);
    for (uint32_t n = 1; n <= 5; n++) {
        unsigned char key[CRYPTO_SHA256_BYTES] = {(unsigned char)n}; /* each in a place of its own */
        struct token_claims made;
        claims_of(n, &made);
        made.until_s = n == 1 ? NOW + 1 : NOW + 3600;
        token_cache_put(cache, key, NOW + n, &made);
    }
    assert_int_equal(token_cache_size(cache, NOW), 5);
    assert_int_equal(token_cache_size(cache, NOW + 1), 4); /* one token has ended */
    assert_int_equal(token_cache_size(cache, NOW + TOKEN_CACHE_S + 3), 2);
    assert_int_equal(token_cache_size(cache, NOW + TOKEN_CACHE_S + 5), 0);
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        EACH(found_after_the_first_time), EACH(ends_after_a_minute), EACH(ends_with_the_token), EACH(another_generation_finds_nothing),
        EACH(what_was_refused_is_not_kept), EACH(a_changed_token_is_not_found), EACH(too_long_is_refused_before_it_is_copied),
        EACH(processes_share_it), EACH(the_size_is_of_what_has_not_ended),
    };
    return cmocka_run_group_tests_name("token_cache", tests, set_up, tear_down);
}
