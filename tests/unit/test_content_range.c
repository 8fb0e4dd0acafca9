/*
 * content_range: the header of an upload in pieces, and everything that is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "responder/content_range.c" /* the responder is no part of the archive */

static void ranges_are_read(void **state)
{
    (void)state;
    struct content_range r;
    assert_true(content_range_read("bytes 0-0/1", &r));
    assert_true(!r.asks && r.first == 0 && r.last == 0 && r.total == 1);
    assert_true(content_range_read("BYTES 10-99/999999999999999", &r));
    assert_true(!r.asks && r.first == 10 && r.last == 99 && r.total == INT64_C(999999999999999));
    assert_true(content_range_read("bytes */42", &r));
    assert_true(r.asks && r.total == 42);
    assert_true(content_range_read("bytes */0", &r) && r.asks);
}

static void others_are_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "", "bytes", "bytes ", "bytes=0-1/2", "bytes  0-1/2", "bytes 0-1", "bytes 0-1/", "bytes 0-1/*", "bytes */*", "bytes */",
        "bytes *", "bytes -1/2", "bytes 0-/2", "bytes 1-0/2", "bytes 0-2/2", "bytes 0-1/2 ", " bytes 0-1/2", "bytes 0 -1/2",
        "bytes 0-1/2, bytes 0-1/2", "items 0-1/2", "bytes +0-1/2", "bytes 0x0-1/2", "bytes 0-1/9999999999999999",
        "bytes 0000000000000000-1/2"};
    struct content_range r;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        assert_false(content_range_read(BAD[i], &r));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ranges_are_read), cmocka_unit_test(others_are_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
