/*
 * test_traffic: what is counted of requests, and how it is shown in both formats.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "responder/metric.c" /* the responder is no part of the archive */
#include "responder/traffic.c"

#define ROUTES 2
#define CHILDREN 4
#define EACH 20000

const char *routes_name(int number)
{
    return number == 0 ? "first" : "second";
}

static struct str shown = STR_INIT(65536);

/* Whether the line is shown, exactly once. */
static bool has(const char *line)
{
    const char *found = strstr(shown.data, line);
    return found != NULL && (found == shown.data || found[-1] == '\n') && strstr(found + 1, line) == NULL;
}

static void show(const struct traffic *t, bool open)
{
    str_reset(&shown);
    traffic_write(t, &shown, open);
    assert_false(shown.overflow);
}

static void requests_count_by_route_and_class(void **state)
{
    static const int STATUS[] = {200, 201, 299, 304, 404, 499, 503, 0, 100, 600};
    struct traffic *t = traffic_new(ROUTES);
    (void)state;
    for (size_t i = 0; i < sizeof STATUS / sizeof *STATUS; i++)
        traffic_count(t, 1, STATUS[i], 1);
    traffic_count(t, ROUTES, 404, 1);
    show(t, false);
    assert_true(has("consign_requests_total{route=\"second\",code=\"2xx\"} 3\n"));
    assert_true(has("consign_requests_total{route=\"second\",code=\"3xx\"} 1\n"));
    assert_true(has("consign_requests_total{route=\"second\",code=\"4xx\"} 2\n"));
    assert_true(has("consign_requests_total{route=\"second\",code=\"5xx\"} 1\n"));
    assert_true(has("consign_requests_total{route=\"second\",code=\"cut\"} 3\n"));
    assert_true(has("consign_requests_total{route=\"first\",code=\"2xx\"} 0\n"));
    assert_true(has("consign_requests_total{route=\"none\",code=\"4xx\"} 1\n"));
}

static void times_are_summed_up_by_bucket(void **state)
{
    static const int64_t US[] = {0, 500, 501, 2500, 10000000, 10000001, 60000000};
    struct traffic *t = traffic_new(ROUTES);
    (void)state;
    for (size_t i = 0; i < sizeof US / sizeof *US; i++)
        traffic_count(t, 0, 200, US[i]);
    show(t, false);
    assert_true(has("consign_request_duration_seconds_bucket{route=\"first\",le=\"0.0005\"} 2\n"));
    assert_true(has("consign_request_duration_seconds_bucket{route=\"first\",le=\"0.001\"} 3\n"));
    assert_true(has("consign_request_duration_seconds_bucket{route=\"first\",le=\"0.0025\"} 4\n"));
    assert_true(has("consign_request_duration_seconds_bucket{route=\"first\",le=\"5.0\"} 4\n"));
    assert_true(has("consign_request_duration_seconds_bucket{route=\"first\",le=\"10.0\"} 5\n"));
    assert_true(has("consign_request_duration_seconds_bucket{route=\"first\",le=\"+Inf\"} 7\n"));
    assert_true(has("consign_request_duration_seconds_count{route=\"first\"} 7\n"));
    assert_true(has("consign_request_duration_seconds_sum{route=\"first\"} 80.003502\n"));
    assert_true(has("consign_request_duration_seconds_count{route=\"none\"} 0\n"));
}

static void the_formats_name_a_counter_differently(void **state)
{
    struct traffic *t = traffic_new(ROUTES);
    (void)state;
    show(t, true);
    assert_true(has("# TYPE consign_requests counter\n"));
    assert_true(has("# UNIT consign_request_duration_seconds seconds\n"));
    show(t, false);
    assert_true(has("# TYPE consign_requests_total counter\n"));
    assert_true(has("# TYPE consign_request_duration_seconds histogram\n"));
}

static void thousandths_keep_their_zeros(void **state)
{
    (void)state;
    str_reset(&shown);
    metric_single_milli(&shown, METRIC_QUEUE_WAIT, true, 12005);
    assert_true(has("consign_queue_wait_seconds 12.005\n"));
}

/* A unit is the last word of its metric's name (OpenMetrics), names are in one style, and every row says what it means. */
static void the_table_is_whole(void **state)
{
    (void)state;
    for (int i = 0; i < METRIC_COUNT; i++) {
        const struct metric_row *row = metric_row((enum metric)i);
        assert_non_null(row->name);
        assert_int_equal(strncmp(row->name, "consign_", 8), 0);
        assert_int_equal(strspn(row->name, "abcdefghijklmnopqrstuvwxyz_"), strlen(row->name));
        assert_true(strlen(row->help) > 10 && strpbrk(row->help, "\n\\|") == NULL);
        size_t name = strlen(row->name), unit = strlen(row->unit);
        assert_true(unit == 0 || (row->name[name - unit - 1] == '_' && strcmp(row->name + name - unit, row->unit) == 0));
        assert_true(name < 6 || strcmp(row->name + name - 6, "_total") != 0);
    }
}

static void processes_add_to_the_same(void **state)
{
    struct traffic *t = traffic_new(ROUTES);
    (void)state;
    for (int child = 0; child < CHILDREN; child++) {
        if (fork() == 0) {
            for (int i = 0; i < EACH; i++)
                traffic_count(t, 0, 200, 1000);
            _exit(0);
        }
    }
    while (wait(NULL) > 0)
        continue;
    show(t, false);
    assert_true(has("consign_requests_total{route=\"first\",code=\"2xx\"} 80000\n"));
    assert_true(has("consign_request_duration_seconds_count{route=\"first\"} 80000\n"));
    assert_true(has("consign_request_duration_seconds_sum{route=\"first\"} 80.000000\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_count_by_route_and_class),
        cmocka_unit_test(times_are_summed_up_by_bucket),
        cmocka_unit_test(the_formats_name_a_counter_differently),
        cmocka_unit_test(thousandths_keep_their_zeros),
        cmocka_unit_test(the_table_is_whole),
        cmocka_unit_test(processes_add_to_the_same),
    };
    return cmocka_run_group_tests_name("traffic", tests, NULL, NULL);
}
