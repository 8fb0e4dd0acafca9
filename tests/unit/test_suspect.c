/*
 * test_suspect: which requests are refused because workers have ended with them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "responder/suspect.c" /* the responder is no part of the archive */

#define WORKERS 8

/* Workers that begin the request in the slots given, and end with it. */
static void end_with(struct suspect *s, const char *id, int slot)
{
    assert_true(suspect_begin(s, slot, id));
    suspect_ended(s, slot);
}

static void two_workers_and_no_third(void **state)
{
    struct suspect *s = suspect_new(WORKERS);
    (void)state;
    end_with(s, "a", 3);
    end_with(s, "a", 3);
    assert_false(suspect_begin(s, 3, "a"));
    assert_false(suspect_begin(s, 4, "a"));
    assert_true(suspect_begin(s, 4, "b"));
}

/* nginx sends it again before the supervisor has seen the end. */
static void whose_end_was_not_seen_yet_counts(void **state)
{
    struct suspect *s = suspect_new(WORKERS);
    (void)state;
    assert_true(suspect_begin(s, 0, "a"));
    assert_true(suspect_begin(s, 1, "a"));
    assert_false(suspect_begin(s, 2, "a"));
    suspect_ended(s, 1);
    suspect_ended(s, 0);
    assert_false(suspect_begin(s, 0, "a"));
}

static void what_was_seen_through_is_no_suspect(void **state)
{
    struct suspect *s = suspect_new(WORKERS);
    (void)state;
    for (int i = 0; i < 10; i++) {
        assert_true(suspect_begin(s, i % WORKERS, "a"));
        suspect_end(s, i % WORKERS);
        suspect_ended(s, i % WORKERS); /* stopped while it had none */
    }
    assert_true(suspect_begin(s, 0, "a"));
}

static void without_an_id_nothing_is_known(void **state)
{
    struct suspect *s = suspect_new(WORKERS);
    (void)state;
    for (int i = 0; i < 5; i++) {
        end_with(s, NULL, 0);
        end_with(s, "", 1);
    }
}

/* Only the last ends are kept: those before them are long answered. */
static void the_last_ones_are_kept(void **state)
{
    struct suspect *s = suspect_new(WORKERS);
    char id[16];
    (void)state;
    end_with(s, "a", 0);
    end_with(s, "a", 0);
    for (int i = 0; i < SUSPECT_KEPT - 2; i++) {
        snprintf(id, sizeof id, "%d", i);
        end_with(s, id, i % WORKERS);
    }
    assert_false(suspect_begin(s, 0, "a"));
    end_with(s, "b", 1);
    assert_true(suspect_begin(s, 0, "a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_workers_and_no_third),
        cmocka_unit_test(whose_end_was_not_seen_yet_counts),
        cmocka_unit_test(what_was_seen_through_is_no_suspect),
        cmocka_unit_test(without_an_id_nothing_is_known),
        cmocka_unit_test(the_last_ones_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
