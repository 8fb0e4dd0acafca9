/*
 * traffic: requests by route. See traffic.h.
 */
#include "responder/traffic.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>

#include "responder/metric.h"
#include "responder/routes.h"

/* Upper bounds; what is over the last one is in +Inf alone. */
static const struct {
    int64_t us;
    const char *seconds; /* as OpenMetrics writes it */
} BOUNDS[] = {{500, "0.0005"},  {1000, "0.001"},  {2500, "0.0025"},  {5000, "0.005"},  {10000, "0.01"},
              {25000, "0.025"}, {50000, "0.05"},  {100000, "0.1"},   {250000, "0.25"}, {500000, "0.5"},
              {1000000, "1.0"}, {2500000, "2.5"}, {5000000, "5.0"},  {10000000, "10.0"}};
#define TRAFFIC_BOUNDS (sizeof BOUNDS / sizeof *BOUNDS)

static const char *const CODES[] = {"cut", "2xx", "3xx", "4xx", "5xx"};
#define TRAFFIC_CODES (sizeof CODES / sizeof *CODES)

struct traffic_route {
    atomic_uint_least64_t code[TRAFFIC_CODES];
    atomic_uint_least64_t bucket[TRAFFIC_BOUNDS + 1]; /* each by itself; the format wants them summed up */
    atomic_uint_least64_t us;
};

struct traffic {
    int routes;
    struct traffic_route route[]; /* one more than there are routes */
};

struct traffic *traffic_new(int routes)
{
    size_t size = sizeof(struct traffic) + ((size_t)routes + 1) * sizeof(struct traffic_route);
    struct traffic *t = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (t == MAP_FAILED)
        return NULL;
    t->routes = routes;
    return t;
}

#define TRAFFIC_ADD(counter, n) atomic_fetch_add_explicit(&(counter), (n), memory_order_relaxed)
#define TRAFFIC_GET(counter) atomic_load_explicit(&(counter), memory_order_relaxed)

void traffic_count(struct traffic *t, int route, int status, int64_t us)
{
    struct traffic_route *r = &t->route[route];
    size_t code = status >= 200 && status < 600 ? (size_t)status / 100 - 1 : 0, bucket = 0;
    while (bucket < TRAFFIC_BOUNDS && us > BOUNDS[bucket].us)
        bucket++;
    TRAFFIC_ADD(r->code[code], 1);
    TRAFFIC_ADD(r->bucket[bucket], 1);
    TRAFFIC_ADD(r->us, (uint64_t)us);
}

static const char *traffic_name(const struct traffic *t, int route)
{
    return route < t->routes ? routes_name(route) : "none";
}

static void traffic_write_times(const struct traffic *t, int route, struct str *out)
{
    const char *metric = metric_row(METRIC_REQUEST_DURATION)->name, *name = traffic_name(t, route);
    const struct traffic_route *r = &t->route[route];
    uint64_t sum = 0;
    for (size_t i = 0; i < TRAFFIC_BOUNDS; i++) {
        sum += TRAFFIC_GET(r->bucket[i]);
        str_printf(out, "%s_bucket{route=\"%s\",le=\"%s\"} %" PRIu64 "\n", metric, name, BOUNDS[i].seconds, sum);
    }
    sum += TRAFFIC_GET(r->bucket[TRAFFIC_BOUNDS]);
    uint64_t us = TRAFFIC_GET(r->us);
    str_printf(out, "%s_bucket{route=\"%s\",le=\"+Inf\"} %" PRIu64 "\n", metric, name, sum);
    str_printf(out, "%s_count{route=\"%s\"} %" PRIu64 "\n", metric, name, sum);
    str_printf(out, "%s_sum{route=\"%s\"} %" PRIu64 ".%06d\n", metric, name, us / 1000000, (int)(us % 1000000));
}

void traffic_write(const struct traffic *t, struct str *out, bool open)
{
    char labels[128];
    metric_begin(out, METRIC_REQUESTS, open);
    for (int route = 0; route <= t->routes; route++) {
        for (size_t code = 0; code < TRAFFIC_CODES; code++) {
            snprintf(labels, sizeof labels, "route=\"%s\",code=\"%s\"", traffic_name(t, route), CODES[code]);
            metric_sample(out, METRIC_REQUESTS, labels, (int64_t)TRAFFIC_GET(t->route[route].code[code]));
        }
    }
    metric_begin(out, METRIC_REQUEST_DURATION, open);
    for (int route = 0; route <= t->routes; route++)
        traffic_write_times(t, route, out);
}
