/*
 * test_scope: the two forms of an org id (contract.md section 2), and that nothing is the default.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/scope.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_both_forms),
        cmocka_unit_test(refuses_everything_else),
        cmocka_unit_test(takes_exactly_the_listed_bytes),
        cmocka_unit_test(zeroed_scope_has_nothing),
    };
    return cmocka_run_group_tests_name("scope", tests, NULL, NULL);
}
