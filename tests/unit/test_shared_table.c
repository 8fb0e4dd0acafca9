/*
 * test_shared_table: what was entered is found again, whole or not at all, by every process, and nothing else ever is.
 *
 * Includes the source, so that it can reach into the shared memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>
#include <sys/wait.h>

#include "lib/clock.h"
#include "lib/shared_table.c" /* NOLINT(bugprone-suspicious-include) */

#define NOW 1700000000
#define SLOTS 16384
#define HAMMERS 3
#define HAMMER_MS 1000
#define TEXT_MAX 131

struct value {
    int64_t number;
    char text[TEXT_MAX]; /* the size is no multiple of a word */
};

static struct shared_table *table;
static struct value seen;

static int begin(void **state)
{
    (void)state;
    table = shared_table_new(SLOTS, sizeof(struct value));
    return table == NULL;
}

static int end(void **state)
{
    (void)state;
    return munmap(table, sizeof *table + SLOTS * table->stride);
}

/* Key number n; all of them have the same places. */
static void key_of(unsigned n, unsigned char key[CRYPTO_SHA256_BYTES])
{
    memset(key, 0, CRYPTO_SHA256_BYTES);
    memcpy(key, "same", 4);
    memcpy(key + 28, &n, sizeof n);
}

/* A value that says n everywhere. */
static struct value value_of(unsigned n)
{
    struct value made;
    memset(&made, 0, sizeof made);
    made.number = n;
    memset(made.text, (int)('A' + n % 26), TEXT_MAX - n % 7);
    return made;
}

static bool value_is(unsigned n)
{
    struct value wanted = value_of(n);
    return memcmp(&seen, &wanted, sizeof wanted) == 0;
}

static void put(unsigned n, int64_t until)
{
    unsigned char key[CRYPTO_SHA256_BYTES];
    struct value made = value_of(n);
    key_of(n, key);
    shared_table_put(table, key, until, &made);
}

static bool get(unsigned n, int64_t now)
{
    unsigned char key[CRYPTO_SHA256_BYTES];
    key_of(n, key);
    return shared_table_get(table, key, now, &seen);
}

static void found_until_its_end(void **state)
{
    (void)state;
    assert_false(get(1, NOW));
    put(1, NOW + 60);
    assert_true(get(1, NOW) && value_is(1));
    assert_true(get(1, NOW + 59) && value_is(1));
    assert_false(get(1, NOW + 60));
    assert_false(get(2, NOW));
}

static void a_key_has_one_entry(void **state)
{
    unsigned char key[CRYPTO_SHA256_BYTES];
    struct value made = value_of(9);
    (void)state;
    key_of(1, key);
    put(1, NOW + 60);
    put(2, NOW + 60);
    shared_table_put(table, key, NOW + 90, &made);
    assert_true(get(1, NOW) && value_is(9));
    assert_true(get(2, NOW) && value_is(2));
    shared_table_put(table, key, NOW + 10, &made); /* also one that ends sooner */
    assert_false(get(1, NOW + 10));
    assert_true(get(2, NOW) && value_is(2));
}

static void a_full_place_gives_up_what_ends_first(void **state)
{
    (void)state;
    assert_int_equal(SHARED_TABLE_WAYS, 2);
    put(1, NOW + 60);
    put(2, NOW + 61);
    put(3, NOW + 61);
    assert_false(get(1, NOW));
    assert_true(get(2, NOW) && value_is(2));
    assert_true(get(3, NOW) && value_is(3));
    for (unsigned n = 10; n < 1000; n++) {
        put(n, NOW + 60);
        assert_true(get(n, NOW) && value_is(n));
    }
}

static void a_full_table_still_takes_values(void **state)
{
    unsigned char key[CRYPTO_SHA256_BYTES];
    unsigned kept = 0;
    (void)state;
    for (unsigned n = 0; n < 4 * SLOTS; n++) {
        struct value made = value_of(n);
        crypto_sha256(&n, sizeof n, key);
        shared_table_put(table, key, NOW + 60, &made);
        assert_true(shared_table_get(table, key, NOW, &seen) && value_is(n));
    }
    for (unsigned n = 0; n < 4 * SLOTS; n++) {
        crypto_sha256(&n, sizeof n, key);
        if (!shared_table_get(table, key, NOW, &seen))
            continue;
        assert_true(value_is(n));
        kept++;
    }
    assert_in_range(kept, SLOTS / 2, SLOTS);
}

static void a_damaged_entry_is_no_entry(void **state)
{
    unsigned char key[CRYPTO_SHA256_BYTES];
    (void)state;
    put(1, NOW + 60);
    assert_true(get(1, NOW));
    key_of(1, key);
    unsigned char *entry = (unsigned char *)shared_table_place(table, key, 0);
    for (size_t at = 0; at < sizeof(struct shared_entry) + sizeof(struct value); at++) {
        for (int bit = 0; bit < 8; bit++) {
            entry[at] ^= (unsigned char)(1 << bit);
            if (get(1, NOW))
                fail_msg("bit %d of byte %zu may be changed", bit, at);
            entry[at] ^= (unsigned char)(1 << bit);
        }
    }
    assert_true(get(1, NOW));
    table->secret.half[0] ^= 1; /* what another program's table holds is nothing to us */
    assert_false(get(1, NOW));
    memset(table->entries, 0, SLOTS * table->stride);
    memset(key, 0, sizeof key); /* an empty place is no entry of the key that is all zero */
    assert_false(shared_table_get(table, key, NOW, &seen));
    assert_false(shared_table_get(table, key, -1, &seen));
}

/* One of several processes that write and read the same two places as fast as they can. */
static int hammer(unsigned seed)
{
    unsigned found = 0;
    for (int64_t ends = clock_monotonic_ms() + HAMMER_MS; clock_monotonic_ms() < ends;) {
        for (int i = 0; i < 500; i++) {
            seed = seed * 1103515245u + 12345u;
            unsigned n = seed >> 16 & 3;
            if ((seed >> 20 & 1) != 0) {
                put(n, NOW + 60 + n);
            } else if (get(n, NOW)) {
                found++;
                if (!value_is(n))
                    return 1;
            }
        }
    }
    return found > 0 ? 0 : 2;
}

static void writers_and_readers_at_once(void **state)
{
    pid_t child[HAMMERS];
    (void)state;
    for (unsigned i = 0; i < HAMMERS; i++) {
        child[i] = fork();
        if (child[i] == 0)
            _exit(hammer(i + 1));
    }
    for (int i = 0; i < HAMMERS; i++) {
        int status;
        assert_int_equal(waitpid(child[i], &status, 0), child[i]);
        assert_true(WIFEXITED(status));
        if (WEXITSTATUS(status) != 0)
            fail_msg("process %d: %s", i, WEXITSTATUS(status) == 1 ? "a value that nobody wrote" : "found nothing at all");
    }
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        EACH(found_until_its_end), EACH(a_key_has_one_entry), EACH(a_full_place_gives_up_what_ends_first),
        EACH(a_full_table_still_takes_values), EACH(a_damaged_entry_is_no_entry), EACH(writers_and_readers_at_once),
    };
    return cmocka_run_group_tests_name("shared_table", tests, NULL, NULL);
}
