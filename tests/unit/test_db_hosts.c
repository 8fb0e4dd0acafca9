/*
 * test_db_hosts: connection strings with several hosts taken apart, the order in which they are tried, and their
 * parts of a wait.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/db_hosts.h"
#include "scratch.h"

#define N(array) (sizeof(array) / sizeof(array)[0])

static const char *setting(const struct db_hosts *h, int host, const char *name)
{
    static const char *keys[DB_HOSTS_SETTINGS_MAX], *values[DB_HOSTS_SETTINGS_MAX];
    const char *found = NULL;
    db_hosts_settings(h, host, keys, values);
    for (int i = 0; keys[i] != NULL; i++) {
        if (strcmp(keys[i], name) == 0) {
            assert_null(found); /* once */
            found = values[i];
        }
    }
    return found;
}

static void assert_text(const char *got, const char *wanted)
{
    if (wanted == NULL)
        assert_null(got);
    else
        assert_string_equal(got == NULL ? "(none)" : got, wanted);
}

static void strings_are_taken_apart(void **state)
{
    static const struct {
        const char *text;
        int count, host;
        const char *name, *address, *port, *dbname;
    } row[] = {
        {"", 1, 0, NULL, NULL, NULL, NULL},
        {"dbname=consign user=consign_api", 1, 0, NULL, NULL, NULL, "consign"},
        {"host=a dbname=x", 1, 0, "a", NULL, NULL, "x"},
        {"host=a,b port=5432,5433 dbname=x", 2, 0, "a", NULL, "5432", "x"},
        {"host=a,b port=5432,5433 dbname=x", 2, 1, "b", NULL, "5433", "x"},
        {"host=a,b,c port=6000", 3, 2, "c", NULL, "6000", NULL},
        {"host=a,b port=,5433", 2, 0, "a", NULL, NULL, NULL},
        {"host=a,,c", 3, 1, NULL, NULL, NULL, NULL},
        {"host=a,,c", 3, 2, "c", NULL, NULL, NULL},
        {"hostaddr=10.0.0.1,10.0.0.2", 2, 1, NULL, "10.0.0.2", NULL, NULL},
        {"host=a,b hostaddr=,10.0.0.2", 2, 0, "a", NULL, NULL, NULL},
        {"host=a,b hostaddr=,10.0.0.2", 2, 1, "b", "10.0.0.2", NULL, NULL},
        {"postgresql://u@a:1,b:2/consign?connect_timeout=3", 2, 1, "b", NULL, "2", "consign"},
        {"postgresql://a,[::1]:7/d", 2, 1, "::1", NULL, "7", "d"},
        {"postgresql:///d?host=%2Frun%2Fone,%2Frun%2Ftwo&user=u", 2, 1, "/run/two", NULL, NULL, "d"},
    };
    (void)state;
    for (size_t i = 0; i < N(row); i++) {
        struct db_hosts h;
        assert_int_equal(db_hosts_read(&h, row[i].text), FAULT_NONE);
        assert_int_equal(h.count, row[i].count);
        assert_text(setting(&h, row[i].host, "host"), row[i].name);
        assert_text(setting(&h, row[i].host, "hostaddr"), row[i].address);
        assert_text(setting(&h, row[i].host, "port"), row[i].port);
        assert_text(setting(&h, row[i].host, "dbname"), row[i].dbname);
        db_hosts_free(&h);
    }
}

static void what_chooses_a_server_is_ours(void **state)
{
    struct db_hosts h;
    (void)state;
    assert_int_equal(db_hosts_read(&h, "host=a,b target_session_attrs=any password=p sslmode=require"), FAULT_NONE);
    assert_null(setting(&h, 0, "target_session_attrs"));
    assert_text(setting(&h, 0, "password"), "p");
    assert_text(setting(&h, 1, "sslmode"), "require");
    assert_string_equal(db_hosts_name(&h, 1), "b");
    db_hosts_free(&h);
}

static void lists_that_do_not_fit_are_refused_without_showing_the_password(void **state)
{
    static const char *const bad[] = {
        "host=a,b port=1,2,3 password=hunter2",
        "host=a,b hostaddr=10.0.0.1 password=hunter2",
        "hostaddr=10.0.0.1 host=a,b password=hunter2",
        "port=1,2 password=hunter2",
        "host=a password=hunter2 nonsense=1",
        "host='a password=hunter2",
        "consign",
        "host=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17 password=hunter2",
    };
    char heard[4096];
    (void)state;
    for (size_t i = 0; i < N(bad); i++) {
        struct db_hosts h;
        int saved = scratch_listen();
        enum fault fault = db_hosts_read(&h, bad[i]);
        scratch_heard(saved, heard, sizeof heard);
        assert_int_equal(fault, FAULT_MALFORMED);
        assert_int_equal(h.count, 0);
        assert_null(strstr(heard, "hunter2"));
        assert_non_null(strstr(heard, "what=setting"));
        db_hosts_free(&h);
    }
}

/* Four hosts that answer; the third was good last. */
static struct db_hosts four(void)
{
    struct db_hosts h = {.count = 4, .good = 2};
    return h;
}

static void the_good_one_comes_first_and_silent_ones_last(void **state)
{
    struct db_hosts h = four();
    (void)state;
    assert_int_equal(db_hosts_next(&h, 0, 1000), 2);
    assert_int_equal(db_hosts_next(&h, 4, 1000), 3);
    assert_int_equal(db_hosts_next(&h, 4 | 8, 1000), 0);
    assert_int_equal(db_hosts_next(&h, 4 | 8 | 1, 1000), 1);
    assert_int_equal(db_hosts_next(&h, 15, 1000), -1);
    h.host[2].silences = 1;
    assert_int_equal(db_hosts_next(&h, 0, 1000), 3);
    assert_int_equal(db_hosts_next(&h, 8 | 1 | 2, 1000), 2);
    h.host[3].refuse_until_ms = 1001;
    assert_int_equal(db_hosts_next(&h, 0, 1000), 0);
    assert_int_equal(db_hosts_next(&h, 0, 1001), 3);
}

static void every_host_gets_its_turn_within_the_wait(void **state)
{
    struct db_hosts h = four();
    (void)state;
    assert_int_equal(db_hosts_slice(&h, 2, 0, 0, 4000, 4000), 1000);
    assert_int_equal(db_hosts_slice(&h, 3, 4, 0, 3000, 4000), 1000);
    assert_int_equal(db_hosts_slice(&h, 1, 4 | 8 | 1, 0, 1000, 4000), 1000);
    h.host[0].silences = h.host[1].silences = 1;
    assert_int_equal(db_hosts_slice(&h, 2, 0, 0, 4000, 4000), 2000); /* the silent ones get what is left */
    assert_int_equal(db_hosts_slice(&h, 0, 4 | 8, 0, 4000, 4000), 500);
    assert_int_equal(db_hosts_slice(&h, 0, 4 | 8, 0, 100, 4000), 100);
    h.count = 1, h.good = 0, h.host[0].silences = 0;
    assert_int_equal(db_hosts_slice(&h, 0, 0, 0, 4000, 4000), 4000);
}

/* How long a host whose last waits ran out may take, of 4 s. */
static void assert_slices(int count, const int64_t wanted[4])
{
    struct db_hosts h = {.count = count};
    for (int i = 0; i < 4; i++) {
        h.host[0].silences++;
        assert_int_equal(db_hosts_slice(&h, 0, 0, 0, 4000, 4000), wanted[i]);
    }
    h.host[0].silences = INT_MAX;
    assert_int_equal(db_hosts_slice(&h, 0, 0, 0, 4000, 4000), wanted[3]);
    assert_int_equal(db_hosts_slice(&h, 0, 0, 0, 70, 4000), 70);
}

static void a_silent_host_is_given_more_each_time_up_to_half_its_part(void **state)
{
    (void)state;
    assert_slices(1, (const int64_t[]){500, 1000, 2000, 2000});
    assert_slices(3, (const int64_t[]){500, 666, 666, 666});
    assert_slices(16, (const int64_t[]){500, 500, 500, 500});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_are_taken_apart),
        cmocka_unit_test(what_chooses_a_server_is_ours),
        cmocka_unit_test(lists_that_do_not_fit_are_refused_without_showing_the_password),
        cmocka_unit_test(the_good_one_comes_first_and_silent_ones_last),
        cmocka_unit_test(every_host_gets_its_turn_within_the_wait),
        cmocka_unit_test(a_silent_host_is_given_more_each_time_up_to_half_its_part),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_end);
}
