/*
 * test_scope: the two forms of an org id (contract.md section 2), that nothing is the default, and what is kept of the registry.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/scope.c" /* NOLINT(bugprone-suspicious-include) */

#define N(array) (sizeof(array) / sizeof(array)[0])
#define A16 "aB3dEfGh1jKlMn0p"
#define A64 A16 A16 A16 A16

static void accepts_both_forms(void **state)
{
    static const char *const GOOD[] = {
        "1", "a@AdobeOrg", "0123456789ABCDEF01234567@AdobeOrg", A64 "@AdobeOrg", "acme", "Acme_1.eu-west", "-", ".", "_",
        A64, "AdobeOrg", "a.b_c-d",
    };
    (void)state;
    for (size_t i = 0; i < N(GOOD); i++) {
        if (!scope_org_valid(GOOD[i]))
            fail_msg("refused: %s", GOOD[i]);
        assert_true(strlen(GOOD[i]) <= SCOPE_ORG_MAX);
    }
}

static void refuses_everything_else(void **state)
{
    static const char *const BAD[] = {
        "", "@AdobeOrg", "a@adobeorg", "a@ADOBEORG", "a@AdobeOrg ", " a@AdobeOrg", "a@AdobeOrgs", "a@Adobe", "a@", "@", "a@b",
        "a@@AdobeOrg", "a@AdobeOrg@AdobeOrg", "a.b@AdobeOrg", "a_b@AdobeOrg", "a-b@AdobeOrg", "a b@AdobeOrg",
        A64 "x@AdobeOrg", A64 "x", A64 A64, "a b", "a\tb", "a\n", "\na", "a,b", "a;b", "a/b", "../a", "a'b", "a\"b", "a%41",
        "a*", "a+b", "a:b", "\xc3\xa9", "a\x7f", "a\xff@AdobeOrg", "{ORG_ID}", "a@AdobeOrg,b@AdobeOrg", "a@AdobeOrg\n",
    };
    (void)state;
    for (size_t i = 0; i < N(BAD); i++) {
        if (scope_org_valid(BAD[i]))
            fail_msg("accepted: %s", BAD[i]);
    }
}

/* All 255 bytes at three places of each form. */
static void takes_exactly_the_listed_bytes(void **state)
{
    static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    (void)state;
    for (int c = 1; c < 256; c++) {
        char own[] = "abc", ims[] = "abc@AdobeOrg";
        bool letter = strchr(LETTERS, c) != NULL;
        for (int at = 0; at < 3; at++) {
            own[at] = ims[at] = (char)c;
            assert_int_equal(scope_org_valid(own), letter || c == '.' || c == '_' || c == '-');
            assert_int_equal(scope_org_valid(ims), letter);
            own[at] = ims[at] = 'x';
        }
    }
}

static void zeroed_scope_has_nothing(void **state)
{
    struct scope scope = {0};
    (void)state;
    assert_int_equal(scope.org, 0);
    assert_int_equal(scope.sandbox, 0);
    assert_int_equal(scope.rights, 0);
    assert_false(scope_org_valid(scope.ims_org_id));
}

#define VERSION_A "11111111-1111-4111-8111-111111111111"
#define VERSION_B "22222222-2222-4222-8222-222222222222"
#define START_MS INT64_C(5000)
#define CACHE_MS 1000

static void keep(const struct scope_cache *cache, const char *const *names, int64_t now_ms, const char *version, int org)
{
    struct scope_answer answer;
    memset(&answer, 0, sizeof answer);
    answer.org = org;
    scope_cache_put(cache, names, now_ms, version, &answer);
}

/* The org that is kept for three names; 0: nothing is. */
static int kept(const struct scope_cache *cache, const char *const *names, int64_t now_ms)
{
    struct scope_answer answer;
    return scope_cache_get(cache, names, now_ms, CACHE_MS, &answer) ? answer.org : 0;
}

static void an_answer_is_kept_while_its_version_is_the_present_one(void **state)
{
    static const char *const ONE[] = {"c1", "o1", "prod"}, *const OTHER[] = {"c2", "o2", "prod"};
    struct scope_cache *cache = scope_cache_new();
    (void)state;
    assert_int_equal(kept(cache, ONE, START_MS), 0);
    keep(cache, ONE, START_MS, VERSION_A, 1);
    assert_int_equal(kept(cache, ONE, START_MS + CACHE_MS - 1), 1);
    assert_int_equal(kept(cache, ONE, START_MS + CACHE_MS), 0); /* nobody has asked lately */
    assert_int_equal(kept(cache, OTHER, START_MS), 0);
    keep(cache, OTHER, START_MS + CACHE_MS, VERSION_A, 2); /* whoever asks, asks for all */
    assert_int_equal(kept(cache, ONE, START_MS + CACHE_MS), 1);
    keep(cache, OTHER, START_MS + CACHE_MS + 1, VERSION_B, 3);
    assert_int_equal(kept(cache, ONE, START_MS + CACHE_MS + 1), 0);
    assert_int_equal(kept(cache, OTHER, START_MS + CACHE_MS + 1), 3);
    assert_int_equal(kept(cache, OTHER, START_MS + 2 * CACHE_MS + 1), 0);
}

static void no_time_at_all_keeps_nothing(void **state)
{
    static const char *const NAMES[] = {"c1", "o1", "prod"};
    struct scope_cache *cache = scope_cache_new();
    struct scope_answer answer;
    (void)state;
    keep(cache, NAMES, START_MS, VERSION_A, 1);
    assert_false(scope_cache_get(cache, NAMES, START_MS, 0, &answer));
}

static void names_are_kept_apart(void **state)
{
    static const char *const NAMES[][3] = {
        {"ab", "c", "d"}, {"a", "bc", "d"}, {"ab", "cd", ""}, {"ab", "", "cd"}, {"", "ab", "cd"}, {"abc", "", "d"}};
    struct scope_cache *cache = scope_cache_new();
    char longer[SCOPE_SANDBOX_MAX + 2];
    (void)state;
    for (size_t i = 0; i < N(NAMES); i++)
        keep(cache, NAMES[i], START_MS, VERSION_A, (int)i + 1);
    for (size_t i = 0; i < N(NAMES); i++)
        assert_int_equal(kept(cache, NAMES[i], START_MS), i + 1);
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    const char *const long_names[] = {"c1", "o1", longer};
    keep(cache, long_names, START_MS, VERSION_A, 9);
    assert_int_equal(kept(cache, long_names, START_MS), 0);
    longer[sizeof longer - 2] = '\0';
    keep(cache, long_names, START_MS, VERSION_A, 9);
    assert_int_equal(kept(cache, long_names, START_MS), 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_both_forms),
        cmocka_unit_test(refuses_everything_else),
        cmocka_unit_test(takes_exactly_the_listed_bytes),
        cmocka_unit_test(zeroed_scope_has_nothing),
        cmocka_unit_test(an_answer_is_kept_while_its_version_is_the_present_one),
        cmocka_unit_test(no_time_at_all_keeps_nothing),
        cmocka_unit_test(names_are_kept_apart),
    };
    return cmocka_run_group_tests_name("scope", tests, NULL, NULL);
}
