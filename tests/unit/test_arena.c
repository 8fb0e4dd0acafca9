/*
 * test_arena: zeroed aligned memory up to a bound, the sticky flag, and what is released when.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/arena.h"

#define N(array) (sizeof(array) / sizeof(array)[0])

static int order[8];
static int released;

static void note_release(void *thing)
{
    if (released < (int)N(order))
        order[released] = *(int *)thing;
    released++;
}

static void memory_is_zeroed_aligned_and_apart(void **state)
{
    static const size_t SIZES[] = {0, 1, 15, 16, 17, 100, 3};
    struct arena *a = arena_new(4096);
    (void)state;
    for (int round = 0; round < 2; round++) {
        unsigned char *p[N(SIZES)];
        for (size_t i = 0; i < N(SIZES); i++) {
            p[i] = arena_alloc(a, SIZES[i]);
            assert_non_null(p[i]);
            assert_int_equal((uintptr_t)p[i] % _Alignof(max_align_t), 0);
            for (size_t k = 0; k < SIZES[i]; k++)
                assert_int_equal(p[i][k], 0);
            memset(p[i], (int)i + 1, SIZES[i]);
        }
        for (size_t i = 0; i < N(SIZES); i++) {
            for (size_t k = 0; k < SIZES[i]; k++)
                assert_int_equal(p[i][k], i + 1);
        }
        assert_false(arena_exhausted(a));
        arena_reset(a); /* the second round gets the same bytes, dirty from the first */
    }
    arena_free(a);
}

static void bound_is_exact_and_exhaustion_sticks(void **state)
{
    struct arena *a = arena_new(64);
    (void)state;
    assert_non_null(arena_alloc(a, 48));
    assert_non_null(arena_alloc(a, 16));
    assert_false(arena_exhausted(a));
    assert_null(arena_alloc(a, 1));
    assert_true(arena_exhausted(a));
    arena_reset(a);
    assert_false(arena_exhausted(a));
    assert_null(arena_alloc(a, 65));
    assert_null(arena_alloc(a, 1)); /* there is room, but the flag sticks */
    assert_null(arena_text(a, "x"));
    assert_null(arena_int(a, 1));
    assert_null(arena_printf(a, "x"));
    arena_reset(a);
    assert_non_null(arena_alloc(a, 64));
    arena_free(a);
}

static void refuses_sizes_that_wrap(void **state)
{
    static const size_t SIZES[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 14, SIZE_MAX - 15, SIZE_MAX / 2};
    struct arena *a = arena_new(64);
    (void)state;
    for (size_t i = 0; i < N(SIZES); i++) {
        arena_reset(a);
        assert_null(arena_alloc(a, SIZES[i]));
        assert_true(arena_exhausted(a));
    }
    arena_free(a);
}

static void copies_and_prints(void **state)
{
    static const struct {
        int64_t n;
        const char *text;
    } row[] = {{0, "0"}, {-1, "-1"}, {INT64_MAX, "9223372036854775807"}, {INT64_MIN, "-9223372036854775808"}};
    struct arena *a = arena_new(4096);
    (void)state;
    char source[] = "abc";
    char *copy = arena_copy(a, source, 2), *text = arena_text(a, source);
    source[0] = 'x';
    assert_string_equal(copy, "ab");
    assert_string_equal(text, "abc");
    assert_null(arena_text(a, NULL));
    assert_string_equal(arena_copy(a, NULL, 0), "");
    assert_memory_equal(arena_copy(a, "a\0b", 3), "a\0b", 4);
    for (size_t i = 0; i < N(row); i++)
        assert_string_equal(arena_int(a, row[i].n), row[i].text);
    assert_string_equal(arena_printf(a, "%s-%d%%", "x", 7), "x-7%");
    assert_string_equal(arena_printf(a, "%s", ""), "");
    assert_false(arena_exhausted(a));
    arena_free(a);
}

static void releases_newest_first_and_once(void **state)
{
    static int thing[] = {1, 2, 3};
    static const int NEWEST_FIRST[] = {3, 2, 1};
    struct arena *a = arena_new(64);
    (void)state;
    released = 0;
    for (size_t i = 0; i < N(thing); i++)
        assert_true(arena_own(a, &thing[i], note_release));
    assert_int_equal(released, 0);
    arena_reset(a);
    assert_int_equal(released, 3);
    assert_memory_equal(order, NEWEST_FIRST, sizeof NEWEST_FIRST);
    arena_reset(a);
    assert_int_equal(released, 3);
    assert_true(arena_own(a, &thing[0], note_release));
    arena_free(a);
    assert_int_equal(released, 4);
    arena_free(NULL);
}

/* What cannot be noted is released at once: nothing leaks and nobody goes on with it. */
static void too_many_things_are_released_at_once(void **state)
{
    static int thing = 1;
    struct arena *a = arena_new(64);
    int kept = 0;
    (void)state;
    released = 0;
    while (kept < 1000000 && arena_own(a, &thing, note_release))
        kept++;
    assert_in_range(kept, 1000, 100000);
    assert_int_equal(released, 1);
    assert_true(arena_exhausted(a));
    arena_free(a);
    assert_int_equal(released, kept + 1);
}

/* Pages of the block that are in memory. */
static size_t resident_kib(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    unsigned long size = 0, resident = 0;
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%lu %lu", &size, &resident), 2);
    fclose(file);
    return resident * (size_t)sysconf(_SC_PAGESIZE) / 1024;
}

/* What a large request touched goes back to the system, and the memory is as good as before. */
static void trim_gives_back_what_was_used(void **state)
{
    const size_t big = 8u << 20, keep = 64u << 10;
    struct arena *a = arena_new(big);
    (void)state;
    assert_non_null(arena_alloc(a, 1000));
    arena_reset(a);
    assert_false(arena_trim(a, keep)); /* nothing to give */
    size_t before = resident_kib();
    (void)before; /* a sanitizer's memory is not looked at */
    for (int round = 0; round < 3; round++) {
        char *p = arena_alloc(a, big);
        assert_non_null(p);
        memset(p, 'x', big);
#if !defined(__SANITIZE_ADDRESS__)
        assert_in_range(resident_kib(), before + 7000, before + 9000);
#endif
        arena_reset(a);
        assert_true(arena_trim(a, keep));
#if !defined(__SANITIZE_ADDRESS__)
        assert_in_range(resident_kib(), 0, before + 500);
#endif
    }
    const char *p = arena_alloc(a, big);
    for (size_t i = 0; i < big; i++)
        assert_int_equal(p[i], 0);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_aligned_and_apart), cmocka_unit_test(bound_is_exact_and_exhaustion_sticks),
        cmocka_unit_test(refuses_sizes_that_wrap),            cmocka_unit_test(copies_and_prints),
        cmocka_unit_test(releases_newest_first_and_once),     cmocka_unit_test(too_many_things_are_released_at_once),
        cmocka_unit_test(trim_gives_back_what_was_used),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
