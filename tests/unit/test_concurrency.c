/*
 * test_concurrency: who gets a worker, who waits for one, who is refused; and that nothing leaks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "responder/concurrency.c" /* the responder is no part of the archive */

#define N(array) (sizeof(array) / sizeof(array)[0])
#define GO CONCURRENCY_GO
#define WAIT CONCURRENCY_WAIT
#define REFUSED CONCURRENCY_REFUSED

static void the_rule(void **state)
{
    static const struct {
        struct concurrency_view view; /* taken, most, elders, youngest, waited, queued, others wait, harmed, contended */
        enum concurrency_verdict verdict;
    } row[] = {
        {{0, 1, 0, 0, 0, 0, true, 9999, true}, GO},
        {{5, 6, 0, 9999, 499, 9999, true, 9999, true}, GO},
        {{8, 6, 0, 9999, 0, 9999, true, 9999, false}, GO},     /* who is alone has all */
        {{6, 6, 0, 0, 0, 0, false, 9999, true}, WAIT},
        {{6, 6, 0, 9999, 499, 9999, false, 9999, true}, WAIT}, /* nobody else could have the worker */
        {{6, 6, 0, 0, 500, 0, false, 0, true}, REFUSED},       /* but not for ever */
        {{6, 6, 0, 24, 24, 0, true, 9999, true}, WAIT},        /* a place was taken anew, the next is free soon */
        {{6, 6, 0, 100, 0, 0, true, 1000, true}, REFUSED},     /* nothing moves: at once */
        {{6, 6, 0, 0, 100, 0, true, 1000, true}, REFUSED},
        {{6, 6, 0, 0, 0, 24, true, 9999, true}, WAIT},
        {{6, 6, 0, 0, 0, 100, true, 1000, true}, REFUSED},     /* a line, and others may stand in it */
        {{6, 6, 0, 340, 100, 180, true, 999, true}, WAIT},     /* but not yet for long */
        {{8, 6, 0, 0, 0, 0, true, 9999, true}, WAIT},
        {{5, 6, 1, 0, 0, 0, true, 0, true}, WAIT},             /* the free place is somebody's who came before */
        {{4, 6, 1, 0, 0, 0, true, 0, true}, GO},
    };
    (void)state;
    for (size_t i = 0; i < N(row); i++)
        assert_int_equal(concurrency_judge(&row[i].view), row[i].verdict);
}

/* Places of a pool that has served for a while. */
static struct concurrency *pool(int workers, int most)
{
    return concurrency_new(workers, most, -CONCURRENCY_START_MS);
}

static void a_reserve_stays_by_default(void **state)
{
    static const struct {
        int workers, most, result;
    } row[] = {{1, 0, 1}, {2, 0, 1}, {3, 0, 2}, {4, 0, 3}, {8, 0, 6}, {16, 0, 12}, {512, 0, 384},
               {8, 8, 8}, {8, 1, 1}, {8, 7, 7}, {8, 512, 8}, {1, 5, 1}};
    (void)state;
    for (size_t i = 0; i < N(row); i++) {
        struct concurrency *c = pool(row[i].workers, row[i].most);
        assert_non_null(c);
        assert_int_equal(c->most, row[i].result);
    }
}

/* Two orgs were served in turn just before now_ms. */
static void contend(struct concurrency *c, int64_t now_ms)
{
    concurrency_note(c, 1000001, now_ms);
    concurrency_note(c, 1000002, now_ms);
}

static enum concurrency_verdict take_after(struct concurrency *c, int slot, int org, const char *client, int64_t waited_ms,
                                           int64_t now_ms)
{
    struct concurrency_claim claim = {slot, org, client};
    struct concurrency_view view = {.others_wait = true, .waited_ms = waited_ms};
    return concurrency_take(c, &claim, &view, now_ms);
}

static enum concurrency_verdict take(struct concurrency *c, int slot, int org, const char *client, int64_t now_ms)
{
    return take_after(c, slot, org, client, 0, now_ms);
}

/* An org's requests over its limit have harmed others for long at now_ms. */
static void harm(struct concurrency *c, int org, int64_t now_ms)
{
    concurrency_harmed_ms(c, org, now_ms - 2 * CONCURRENCY_HARM_MS);
    for (int64_t ms = 0; ms < 2 * CONCURRENCY_HARM_MS; ms += CONCURRENCY_HARM_MS / 2)
        concurrency_harmed_ms(c, org, now_ms - 2 * CONCURRENCY_HARM_MS + ms);
}

static void an_org_has_so_many_places_and_others_the_rest(void **state)
{
    struct concurrency *c = pool(4, 2);
    (void)state;
    contend(c, 1000);
    harm(c, 7, 1000);
    assert_int_equal(take(c, 0, 7, "a", 1000), GO);
    assert_int_equal(take(c, 1, 7, "b", 1000), GO);
    assert_int_equal(take(c, 2, 7, "c", 1010), WAIT);
    assert_int_equal(take(c, 2, 7, "c", 1100), REFUSED);
    assert_int_equal(take(c, 2, 8, "d", 1100), GO);
    concurrency_release(c, 0);
    assert_int_equal(take(c, 3, 7, "c", 1100), GO);
    assert_int_equal(take(c, 0, 7, "c", 1026), WAIT);
}

static void a_client_of_several_orgs_counts_too(void **state)
{
    struct concurrency *c = pool(4, 2);
    (void)state;
    contend(c, 1000);
    harm(c, 3, 1000);
    assert_int_equal(take(c, 0, 1, "a", 1000), GO);
    assert_int_equal(take(c, 1, 2, "a", 1000), GO);
    assert_int_equal(take(c, 2, 3, "a", 1100), REFUSED);
    assert_int_equal(take(c, 2, 3, "b", 1100), GO);
}

/* What is refused or waits has taken nothing, and a slot that was cleared for a dead worker is free. */
static void nothing_leaks(void **state)
{
    struct concurrency *c = pool(3, 1);
    (void)state;
    contend(c, 1000);
    harm(c, 7, 2000);
    assert_int_equal(take(c, 0, 7, "a", 1000), GO);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(take(c, 1, 7, "a", 1001), WAIT);
        assert_int_equal(take(c, 2, 7, "a", 2000), REFUSED);
    }
    concurrency_release(c, 0);
    concurrency_release(c, 0);
    assert_int_equal(take(c, 2, 7, "a", 2001), WAIT); /* it is the other's turn, who waits since 1001 */
    concurrency_release(c, 1);
    assert_int_equal(take(c, 2, 7, "a", 2001), GO);
    concurrency_release(c, 2);
    assert_int_equal(take(c, 2, 7, "a", 2002), GO); /* a worker's own slot is never in its way */
}

static void who_is_alone_has_all_workers_until_another_comes(void **state)
{
    struct concurrency *c = pool(4, 1);
    (void)state;
    concurrency_note(c, 7, 1000);
    assert_int_equal(take(c, 0, 7, "a", 1000), GO);
    assert_int_equal(take(c, 1, 7, "a", 2000), GO);
    assert_int_equal(take(c, 2, 7, "a", 3000), GO);
    assert_false(concurrency_contended(c, 4000));
    concurrency_note(c, 8, 4000); /* who need not be served */
    assert_true(concurrency_contended(c, 4000));
    harm(c, 7, 4000);
    assert_int_equal(take(c, 3, 7, "a", 4000), REFUSED);
    harm(c, 7, 4000 + CONCURRENCY_LATELY_MS - 1);
    assert_int_equal(take(c, 3, 7, "a", 4000 + CONCURRENCY_LATELY_MS - 1), REFUSED);
    assert_int_equal(take(c, 3, 7, "a", 4000 + CONCURRENCY_LATELY_MS), GO);
}

static void who_waits_longer_goes_first(void **state)
{
    struct concurrency *c = pool(4, 1);
    int64_t turn_ms = 2000 + CONCURRENCY_TURN_MS;
    (void)state;
    contend(c, 1000);
    assert_int_equal(take(c, 0, 7, "a", 1990), GO);
    assert_int_equal(take(c, 1, 7, "a", 2000), WAIT);
    assert_int_equal(take_after(c, 2, 7, "a", 1, 2002), WAIT);
    concurrency_release(c, 0);
    assert_int_equal(take(c, 0, 7, "a", turn_ms - 1), GO); /* nobody has waited for long */
    concurrency_release(c, 0);
    assert_int_equal(take(c, 0, 7, "a", turn_ms), WAIT);
    assert_int_equal(take_after(c, 2, 7, "a", turn_ms - 2001, turn_ms), WAIT);
    assert_int_equal(take(c, 3, 8, "b", turn_ms), GO); /* it is nobody else's affair */
    assert_int_equal(take_after(c, 1, 7, "a", turn_ms - 2000, turn_ms), GO);
    concurrency_release(c, 1);
    assert_int_equal(take_after(c, 2, 7, "a", turn_ms - 2001, turn_ms), GO);
}

/* Seen in a rolling restart on a busy machine: nothing moved for 340 ms, then one worker refused 16 requests within 1 ms. */
static void a_short_standstill_refuses_nobody_and_a_long_one_does(void **state)
{
    struct concurrency *c = pool(4, 1);
    int64_t end_ms = 1100 + CONCURRENCY_HARM_MS;
    (void)state;
    contend(c, 1000);
    assert_int_equal(take(c, 0, 7, "a", 1000), GO);
    for (int64_t now_ms = 1100; now_ms < end_ms; now_ms += 10)
        assert_int_equal(take(c, 1, 7, "a", now_ms), WAIT);
    assert_int_equal(take(c, 1, 7, "a", end_ms), REFUSED);
    assert_int_equal(take(c, 1, 7, "a", end_ms + CONCURRENCY_HARM_MS - 1), REFUSED);
    assert_int_equal(take(c, 1, 7, "a", end_ms + 2 * CONCURRENCY_HARM_MS), WAIT); /* a second without it: anew */
    assert_int_equal(take(c, 2, 8, "b", end_ms + 2 * CONCURRENCY_HARM_MS), GO);
    assert_int_equal(take(c, 3, 8, "b", end_ms + 2 * CONCURRENCY_HARM_MS + 100), WAIT); /* another org's own second */
}

static void a_reload_spares_everybody(void **state)
{
    struct concurrency *c = pool(4, 1);
    (void)state;
    contend(c, 1000);
    harm(c, 7, 2000);
    assert_int_equal(take(c, 0, 7, "a", 1000), GO);
    assert_int_equal(take(c, 1, 7, "a", 2000), REFUSED);
    concurrency_spare(c, 2000);
    assert_int_equal(take(c, 1, 7, "a", 2001), GO);
    contend(c, 2000 + CONCURRENCY_RELOAD_MS);
    harm(c, 7, 2000 + CONCURRENCY_RELOAD_MS);
    assert_int_equal(take(c, 2, 7, "a", 2000 + CONCURRENCY_RELOAD_MS), REFUSED);
}

static void a_pool_that_starts_refuses_nobody(void **state)
{
    struct concurrency *c = concurrency_new(4, 1, 1000);
    int64_t limited_ms = 1000 + CONCURRENCY_START_MS;
    (void)state;
    contend(c, limited_ms - 1);
    assert_int_equal(take(c, 0, 7, "a", limited_ms - 200), GO);
    assert_int_equal(take(c, 1, 7, "a", limited_ms - 1), GO);
    harm(c, 7, limited_ms + 100);
    assert_int_equal(take(c, 2, 7, "a", limited_ms), WAIT); /* a place was taken just now */
    assert_int_equal(take(c, 2, 7, "a", limited_ms + 100), REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rule),
        cmocka_unit_test(a_reserve_stays_by_default),
        cmocka_unit_test(an_org_has_so_many_places_and_others_the_rest),
        cmocka_unit_test(a_client_of_several_orgs_counts_too),
        cmocka_unit_test(nothing_leaks),
        cmocka_unit_test(who_is_alone_has_all_workers_until_another_comes),
        cmocka_unit_test(who_waits_longer_goes_first),
        cmocka_unit_test(a_short_standstill_refuses_nobody_and_a_long_one_does),
        cmocka_unit_test(a_reload_spares_everybody),
        cmocka_unit_test(a_pool_that_starts_refuses_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
