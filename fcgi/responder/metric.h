/*
 * metric: every metric that GET /metrics shows, in one table, and how they are written.
 *
 * Two formats: OpenMetrics 1.0 (the specification's text format) for who asks for it by Accept, and else the older text
 * format of Prometheus (0.0.4, what `promtool check metrics` reads). They differ in the name that stands in the lines
 * before a counter's samples: `_total` is part of it in the older one only. `# UNIT` and `# EOF` are comments there.
 *
 * The table in README.md is checked against this one. SECURITY: no label says which tenant: who may watch the service
 * learns nothing of who uses it, and the number of series is bounded.
 */
#ifndef CONSIGN_RESPONDER_METRIC_H
#define CONSIGN_RESPONDER_METRIC_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/str.h"

enum metric {
    /* of the pool */
    METRIC_REQUESTS,
    METRIC_REQUEST_DURATION,
    METRIC_WORKERS,
    METRIC_WORKERS_BUSY,
    METRIC_WORKERS_ENDED,
    METRIC_START_TIME,
    METRIC_QUEUE_CONNECTIONS,
    METRIC_QUEUE_LIMIT,
    METRIC_QUEUE_WAIT,
    METRIC_POOL_FULL,
    METRIC_TOKEN_LOOKUPS,
    METRIC_TOKEN_ENTRIES,
    METRIC_TOKEN_SLOTS,
    METRIC_KEY_SET_KEYS,
    METRIC_KEY_SET_REFUSED,
    METRIC_KEY_SET_AGE,
    /* of the spoolers and the store, from the database (store_figures.h) */
    METRIC_DATABASE_UP,
    METRIC_WORK,
    METRIC_WORK_OLDEST,
    METRIC_ATTEMPTS,
    METRIC_ATTEMPT_SECONDS,
    METRIC_TAKEOVERS,
    METRIC_EXPORT_ROWS,
    METRIC_EXPORT_FILES,
    METRIC_EXPORT_BYTES,
    METRIC_INGEST_RECORDS,
    METRIC_INGEST_BYTES,
    METRIC_REMOVED_RECORDS,
    METRIC_SWEEPS,
    METRIC_SWEPT,
    METRIC_SWEEP_LAST,
    METRIC_SPOOLER_WORKERS_ENDED,
    METRIC_WEBHOOK_DELIVERIES,
    METRIC_WEBHOOK_EVENTS,
    METRIC_WEBHOOK_OLDEST,
    METRIC_WEBHOOK_DUE,
    METRIC_COUNT
};

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metric_row {
    const char *name; /* without _total */
    enum metric_type type;
    const char *unit;   /* the last word of the name, or "" */
    const char *labels; /* their names, for people; "" for none */
    const char *help;
};

/* The row of a metric. Never NULL. */
const struct metric_row *metric_row(enum metric metric);

/* The lines that stand before the samples of a metric. All samples of one follow before the next begins. */
void metric_begin(struct str *out, enum metric metric, bool open);

/* One sample. `labels` is ready text `name="value",...`, "" for none. A counter's name gets its _total. */
void metric_sample(struct str *out, enum metric metric, const char *labels, int64_t value);
/* The same with a value in thousandths (milliseconds for seconds). */
void metric_sample_milli(struct str *out, enum metric metric, const char *labels, int64_t value);

/* A metric of one sample without labels. */
void metric_single(struct str *out, enum metric metric, bool open, int64_t value);
void metric_single_milli(struct str *out, enum metric metric, bool open, int64_t value);

/* Writes the table as Markdown. */
void metric_print_table(FILE *out);

#endif
