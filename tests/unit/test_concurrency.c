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
        struct concurrency_view view; /* taken, most, youngest, waited, queued, others wait, contended */
        enum concurrency_verdict verdict;
    } row[] = {
        {{0, 1, 0, 0, 0, true, true}, GO},
        {{5, 6, 9999, 499, 9999, true, true}, GO},
        {{8, 6, 9999, 0, 9999, true, false}, GO},      /* who is alone has all */
        {{6, 6, 0, 0, 0, false, true}, WAIT},
        {{6, 6, 9999, 499, 9999, false, true}, WAIT},  /* nobody else could have the worker */
        {{6, 6, 0, 500, 0, false, true}, REFUSED},     /* but not for ever */
        {{6, 6, 24, 24, 0, true, true}, WAIT},         /* a place was taken anew, the next is free soon */
        {{6, 6, 100, 0, 0, true, true}, REFUSED},       /* nothing moves: at once */
        {{6, 6, 0, 100, 0, true, true}, REFUSED},
        {{6, 6, 0, 0, 24, true, true}, WAIT},
        {{6, 6, 0, 0, 100, true, true}, REFUSED},       /* a line, and others may stand in it */
        {{8, 6, 0, 0, 0, true, true}, WAIT},
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

static enum concurrency_verdict take(struct concurrency *c, int slot, int org, const char *client, int64_t now_ms)
{
    struct concurrency_claim claim = {slot, org, client};
    struct concurrency_view view = {.others_wait = true};
    return concurrency_take(c, &claim, &view, now_ms);
}

static void an_org_has_so_many_places_and_others_the_rest(void **state)
{
    struct concurrency *c = pool(4, 2);
    (void)state;
    contend(c, 1000);
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
    assert_int_equal(take(c, 0, 7, "a", 1000), GO);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(take(c, 1, 7, "a", 1001), WAIT);
        assert_int_equal(take(c, 2, 7, "a", 2000), REFUSED);
    }
    concurrency_release(c, 0);
    concurrency_release(c, 0);
    assert_int_equal(take(c, 2, 7, "a", 2001), GO);
    concurrency_release(c, 2);
    assert_int_equal(take(c, 2, 7, "a", 2002), GO); /* a worker's own slot is never in its way */
}

static void who_is_alone_has_all_workers_until_another_comes(void **state)
{
    struct concurrency *c = pool(4, 1);
    (void)state;
    assert_int_equal(take(c, 0, 7, "a", 1000), GO);
    assert_int_equal(take(c, 1, 7, "a", 2000), GO);
    assert_int_equal(take(c, 2, 7, "a", 3000), GO);
    assert_int_equal(take(c, 3, 8, "b", 4000), GO);
    concurrency_release(c, 3);
    assert_int_equal(take(c, 3, 7, "a", 4000), REFUSED);
    assert_int_equal(take(c, 3, 7, "a", 4000 + CONCURRENCY_LATELY_MS - 1), REFUSED);
    assert_int_equal(take(c, 3, 7, "a", 4000 + CONCURRENCY_LATELY_MS), GO);
}

static void a_pool_that_starts_refuses_nobody(void **state)
{
    struct concurrency *c = concurrency_new(4, 1, 1000);
    int64_t limited_ms = 1000 + CONCURRENCY_START_MS;
    (void)state;
    contend(c, limited_ms - 1);
    assert_int_equal(take(c, 0, 7, "a", limited_ms - 200), GO);
    assert_int_equal(take(c, 1, 7, "a", limited_ms - 1), GO);
    contend(c, limited_ms);
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
        cmocka_unit_test(a_pool_that_starts_refuses_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
