/*
 * test_db_connect: servers that take connections and never answer: the wait is bounded whatever their number, each
 * host is tried, and none is waited for again and again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/db.h"
#include "scratch.h"

#define WAIT_MS 400
#define SERVERS 3

static int listener[SERVERS];
static char conninfo[256];

/* Listens and never answers. */
static int set_up(void **state)
{
    char ports[64] = "", hosts[128] = "";
    (void)state;
    for (int i = 0; i < SERVERS; i++) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t size = sizeof address;
        listener[i] = socket(AF_INET, SOCK_STREAM, 0);
        if (listener[i] < 0 || bind(listener[i], (struct sockaddr *)&address, size) != 0 ||
            listen(listener[i], 16) != 0 || getsockname(listener[i], (struct sockaddr *)&address, &size) != 0)
            return 1;
        snprintf(ports + strlen(ports), sizeof ports - strlen(ports), "%s%d", i == 0 ? "" : ",", ntohs(address.sin_port));
        snprintf(hosts + strlen(hosts), sizeof hosts - strlen(hosts), "%s127.0.0.1", i == 0 ? "" : ",");
    }
    snprintf(conninfo, sizeof conninfo, "host=%s port=%s dbname=none user=nobody sslmode=disable", hosts, ports);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < SERVERS; i++)
        close(listener[i]);
    return 0;
}

/* How many connections came to a server since it was asked last. */
static int knocks(int server)
{
    struct pollfd p = {.fd = listener[server], .events = POLLIN};
    int n = 0;
    while (poll(&p, 1, 0) > 0) {
        close(accept(listener[server], NULL, NULL));
        n++;
    }
    return n;
}

static int64_t connect_ms(struct db *db)
{
    char heard[8192];
    int64_t begun = clock_monotonic_ms();
    int saved = scratch_listen();
    enum fault fault = db_connect(db);
    scratch_heard(saved, heard, sizeof heard);
    assert_int_equal(fault, FAULT_DB_UNAVAILABLE);
    return clock_monotonic_ms() - begun;
}

static void silent_servers_share_one_wait_and_are_left_alone_then(void **state)
{
    struct db *db = db_new((struct db_options){.conninfo = conninfo, .application = "test", .wait_ms = WAIT_MS});
    (void)state;
    int64_t ms = connect_ms(db);
    assert_in_range(ms, WAIT_MS / 2, WAIT_MS + 200);
    for (int i = 0; i < SERVERS; i++)
        assert_int_equal(knocks(i), 1);
    assert_true(connect_ms(db) < 100);
    for (int i = 0; i < SERVERS; i++)
        assert_int_equal(knocks(i), 0);
    db_free(db);
}

#define SLOW_WAIT_MS 1600
#define SLOW_MS 300 /* more than an eighth of it, less than a half */

/* Answers a connection as PostgreSQL does (manual, "Message Formats"), SLOW_MS after the start message. */
static void slow_answer(int client)
{
    static const char READY[] = "R\0\0\0\10\0\0\0\0S\0\0\0\27in_hot_standby\0off\0"
                                "S\0\0\0&default_transaction_read_only\0off\0Z\0\0\0\5I";
    static const char ROW[] = "T\0\0\0V\0\4"
                              "a\0\0\0\0\0\0\0\0\0\0\31\377\377\377\377\377\377\0\0"
                              "b\0\0\0\0\0\0\0\0\0\0\31\377\377\377\377\377\377\0\0"
                              "c\0\0\0\0\0\0\0\0\0\0\31\377\377\377\377\377\377\0\0"
                              "d\0\0\0\0\0\0\0\0\0\0\31\377\377\377\377\377\377\0\0"
                              "D\0\0\0\34\0\4\0\0\0\1f\0\0\0\2on\0\0\0\2on\0\0\0\1f"
                              "C\0\0\0\15SELECT 1\0Z\0\0\0\5I";
    char asked[4096];
    if (recv(client, asked, sizeof asked, 0) > 0) {
        usleep(SLOW_MS * 1000);
        send(client, READY, sizeof READY - 1, MSG_NOSIGNAL);
        if (recv(client, asked, sizeof asked, 0) > 0) {
            send(client, ROW, sizeof ROW - 1, MSG_NOSIGNAL);
            (void)recv(client, asked, sizeof asked, 0);
        }
    }
    close(client);
}

static void one_that_was_silent_and_is_slow_is_reached_again(void **state)
{
    char heard[8192], slow[256];
    snprintf(slow, sizeof slow, "host=127.0.0.1 port=%.*s dbname=none user=nobody sslmode=disable",
             (int)strcspn(strstr(conninfo, "port=") + 5, ","), strstr(conninfo, "port=") + 5);
    struct db *db = db_new((struct db_options){.conninfo = slow, .application = "test", .wait_ms = SLOW_WAIT_MS});
    (void)state;
    connect_ms(db); /* runs out */
    assert_int_equal(knocks(0), 1);
    pid_t server = fork();
    if (server == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            slow_answer(accept(listener[0], NULL, NULL));
    }
    int64_t deadline = clock_monotonic_ms() + 15000;
    int saved = scratch_listen();
    enum fault fault = FAULT_DB_UNAVAILABLE;
    while (fault != FAULT_NONE && clock_monotonic_ms() < deadline) {
        usleep(20000);
        fault = db_connect(db);
    }
    scratch_heard(saved, heard, sizeof heard);
    assert_int_equal(fault, FAULT_NONE);
    db_free(db);
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
}

static struct stmt NOTHING = {"nothing", "SELECT 1", 0};

static void a_budget_bounds_calls_together(void **state)
{
    struct arena *a = arena_new(4096);
    char heard[8192];
    struct db *db = db_new((struct db_options){.conninfo = conninfo, .application = "test", .wait_ms = WAIT_MS});
    (void)state;
    db_set_budget(db, WAIT_MS / 2);
    int64_t begun = clock_monotonic_ms();
    int saved = scratch_listen();
    assert_int_equal(db_call(db, a, 1, &NOTHING, NULL, NULL), FAULT_DB_UNAVAILABLE);
    int64_t first = clock_monotonic_ms() - begun;
    assert_int_equal(db_call(db, a, 1, &NOTHING, NULL, NULL), FAULT_DB_UNAVAILABLE);
    int64_t second = clock_monotonic_ms() - begun - first;
    scratch_heard(saved, heard, sizeof heard);
    assert_in_range(first, WAIT_MS / 4, WAIT_MS / 2 + 100);
    assert_true(second < 50);
    assert_non_null(strstr(heard, "used up"));
    db_free(db);
    arena_free(a);
}

static bool stop_at_once(void *arg)
{
    return ++*(int *)arg > 1;
}

static void a_wait_can_be_stopped(void **state)
{
    int asked = 0;
    struct db *db = db_new((struct db_options){.conninfo = conninfo,
                                               .application = "test",
                                               .wait_ms = 60000,
                                               .stopped = stop_at_once,
                                               .stopped_arg = &asked});
    (void)state;
    int64_t begun = clock_monotonic_ms();
    assert_int_equal(db_connect(db), FAULT_STOPPED);
    assert_true(clock_monotonic_ms() - begun < 1000);
    db_free(db);
}

static void what_the_server_says_becomes_a_fault(void **state)
{
    static const struct {
        const char *sqlstate;
        enum fault fault;
    } row[] = {{"25006", FAULT_DB_UNAVAILABLE}, {"55P03", FAULT_DB_CONFLICT},    {"40001", FAULT_DB_CONFLICT},
               {"40P01", FAULT_DB_CONFLICT},    {"53300", FAULT_DB_UNAVAILABLE}, {"57P01", FAULT_DB_UNAVAILABLE},
               {"57P03", FAULT_DB_UNAVAILABLE}, {"08006", FAULT_DB_UNAVAILABLE}, {"CN429", FAULT_TOO_MANY},
               {"CN507", FAULT_QUOTA},          {"CN411", FAULT_GONE},           {"CN410", FAULT_LEASE_LOST},
               {"42501", FAULT_DB_UNAVAILABLE}, {"CN999", FAULT_INTERNAL},       {"42601", FAULT_INTERNAL},
               {"", FAULT_INTERNAL}};
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        assert_int_equal(db_fault(row[i].sqlstate), row[i].fault);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(silent_servers_share_one_wait_and_are_left_alone_then, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_budget_bounds_calls_together, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_wait_can_be_stopped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_was_silent_and_is_slow_is_reached_again, set_up, tear_down),
        cmocka_unit_test(what_the_server_says_becomes_a_fault),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_end);
}
