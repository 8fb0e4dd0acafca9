/*
 * byte_range: which ranges of a download go to an object store, and which nginx is to judge.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "responder/byte_range.c" /* the responder is no part of the archive */

static void plain_ones_are_known(void **state)
{
    (void)state;
    static const char *const GOOD[] = {"bytes=0-0", "bytes=9-9", "bytes=0-", "bytes=9-", "bytes=-1", "bytes=-10", "bytes=-999",
                                       "bytes=3-999999999999999"};
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++) {
        if (!byte_range_plain(GOOD[i], 10))
            fail_msg("refused: %s", GOOD[i]);
        assert_false(byte_range_plain(GOOD[i], -1));
        assert_false(byte_range_plain(GOOD[i], 0));
    }
}

static void others_are_left(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "", "bytes", "bytes=", "bytes=-", "bytes=--1", "bytes=-0", "bytes=10-", "bytes=10-11", "bytes=5-4", "bytes=0-1,3-4",
        "bytes= 0-1", "bytes=0 -1", "bytes=0-1 ", "Bytes=0-1", "rows=0-1", "bytes=0x0-1", "bytes=+0-1", "bytes=0-1\r\nHost: x",
        "bytes=9999999999999999-", "bytes=0-9999999999999999",
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        if (byte_range_plain(BAD[i], 10))
            fail_msg("accepted: %s", BAD[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(plain_ones_are_known), cmocka_unit_test(others_are_left)};
    return cmocka_run_group_tests_name("byte_range", tests, NULL, NULL);
}
