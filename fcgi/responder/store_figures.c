/*
 * store_figures: what the spoolers have to do and have done. See store_figures.h.
 */
#include "responder/store_figures.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "core/stmt_api.h"
#include "lib/invariant.h"
#include "responder/metric.h"

#define STORE_VALUES_MAX 160
#define STORE_DIMENSIONS 3
#define STORE_TEXT_MAX 128

struct store_figures {
    atomic_int_least64_t asked_ms; /* when somebody last set out to look */
    atomic_bool up;                /* that came to something */
    atomic_int_least64_t value[STORE_VALUES_MAX];
};

#define VALUES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define TASKS {"task", VALUES("export", "batch", "stream", "delete")}
#define WEIGHTS {"weight", VALUES("1", "2-9", "10-99", "100-1000")}
#define WAYS {"way", VALUES("batch", "stream")}

/* The series of a metric. A value's name in the database is `key` and a value of each dimension, with slashes between. What
 * has seconds for a unit is milliseconds there. */
static const struct store_family {
    enum metric metric;
    const char *key;
    struct {
        const char *label;
        const char *const *values;
    } dimension[STORE_DIMENSIONS];
} FAMILIES[] = {
    {METRIC_WORK, "work", {TASKS, {"state", VALUES("waiting", "backoff", "running", "cancelling")}, WEIGHTS}},
    {METRIC_WORK_OLDEST, "oldest", {TASKS, WEIGHTS}},
    {METRIC_ATTEMPTS, "attempts",
     {TASKS, {"outcome", VALUES("succeeded", "failed", "cancelled", "retried", "handed_on", "lost")}}},
    {METRIC_ATTEMPT_SECONDS, "attempt_ms", {TASKS}},
    {METRIC_TAKEOVERS, "takeovers", {TASKS}},
    {METRIC_EXPORT_ROWS, "export_rows", {{NULL, NULL}}},
    {METRIC_EXPORT_FILES, "export_files", {{NULL, NULL}}},
    {METRIC_EXPORT_BYTES, "export_bytes", {{NULL, NULL}}},
    {METRIC_INGEST_RECORDS, "records", {WAYS, {"outcome", VALUES("taken", "refused")}}},
    {METRIC_INGEST_BYTES, "record_bytes", {WAYS}},
    {METRIC_REMOVED_RECORDS, "removed_records", {{NULL, NULL}}},
    {METRIC_SWEEPS, "sweeps", {{"outcome", VALUES("done", "stopped", "failed")}}},
    {METRIC_SWEPT, "swept", {{"what", VALUES("files", "expired_batches", "archived_jobs", "forgotten_batches", "abandoned_batches")}}},
    {METRIC_SWEEP_LAST, "sweep_last_ms", {{NULL, NULL}}},
    {METRIC_SPOOLER_WORKERS_ENDED, "workers_ended", {{NULL, NULL}}},
    {METRIC_WEBHOOK_DELIVERIES, "webhook", {{"outcome", VALUES("delivered", "failed", "refused", "gone", "given_up")}}},
    {METRIC_WEBHOOK_EVENTS, "webhook_events", {{"state", VALUES("waiting", "sending", "backoff", "held")}}},
    {METRIC_WEBHOOK_OLDEST, "webhook_oldest_ms", {{NULL, NULL}}},
    {METRIC_WEBHOOK_DUE, "webhook_due_ms", {{NULL, NULL}}},
};
#define STORE_FAMILIES (sizeof FAMILIES / sizeof *FAMILIES)

struct store_figures *store_figures_new(void)
{
    struct store_figures *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (s == MAP_FAILED)
        return NULL;
    s->asked_ms = -STORE_LOOK_MS;
    return s;
}

static int store_count(const char *const *values)
{
    int n = 0;
    while (values[n] != NULL)
        n++;
    return n;
}

/* The name and the labels of the family's series `number`, from 0. False: it has no so many. */
static bool store_series(const struct store_family *f, int number, char name[STORE_TEXT_MAX], char labels[STORE_TEXT_MAX])
{
    size_t named = (size_t)snprintf(name, STORE_TEXT_MAX, "%s", f->key), labelled = 0;
    labels[0] = '\0';
    for (int i = 0; i < STORE_DIMENSIONS && f->dimension[i].label != NULL; i++) {
        int count = store_count(f->dimension[i].values);
        const char *value = f->dimension[i].values[number % count];
        number /= count;
        named += (size_t)snprintf(name + named, STORE_TEXT_MAX - named, "/%s", value);
        labelled += (size_t)snprintf(labels + labelled, STORE_TEXT_MAX - labelled, "%s%s=\"%s\"", i == 0 ? "" : ",",
                                     f->dimension[i].label, value);
        INVARIANT(named < STORE_TEXT_MAX && labelled < STORE_TEXT_MAX);
    }
    return number == 0;
}

static int64_t store_find(const struct db_rows *rows, const char *name)
{
    for (int row = 0; row < rows->count; row++) {
        if (strcmp(db_text(rows, row, 0), name) == 0)
            return db_int(rows, row, 1);
    }
    return 0; /* it has not happened yet */
}

static void store_keep(struct store_figures *s, const struct db_rows *rows)
{
    char name[STORE_TEXT_MAX], labels[STORE_TEXT_MAX];
    int place = 0;
    for (size_t i = 0; i < STORE_FAMILIES; i++) {
        for (int n = 0; store_series(&FAMILIES[i], n, name, labels); n++) {
            INVARIANT(place < STORE_VALUES_MAX);
            atomic_store_explicit(&s->value[place++], store_find(rows, name), memory_order_relaxed);
        }
    }
}

void store_figures_look(struct store_figures *s, struct db *db, struct arena *a, int64_t now_ms)
{
    struct db_rows rows;
    int_least64_t asked_ms = atomic_load(&s->asked_ms);
    if (now_ms - asked_ms < STORE_LOOK_MS || !atomic_compare_exchange_strong(&s->asked_ms, &asked_ms, now_ms))
        return;
    bool up = db_call(db, a, 0, &STMT_METRIC_READ, NULL, &rows) == FAULT_NONE;
    if (up)
        store_keep(s, &rows);
    atomic_store(&s->up, up);
}

static void store_write_family(const struct store_figures *s, const struct store_family *f, int *place, struct str *out,
                               bool open)
{
    char name[STORE_TEXT_MAX], labels[STORE_TEXT_MAX];
    bool milli = strcmp(metric_row(f->metric)->unit, "seconds") == 0;
    metric_begin(out, f->metric, open);
    for (int n = 0; store_series(f, n, name, labels); n++) {
        int64_t value = atomic_load_explicit(&s->value[(*place)++], memory_order_relaxed);
        if (milli)
            metric_sample_milli(out, f->metric, labels, value);
        else
            metric_sample(out, f->metric, labels, value);
    }
}

void store_figures_write(const struct store_figures *s, struct str *out, bool open)
{
    int place = 0;
    bool up = atomic_load(&s->up);
    metric_single(out, METRIC_DATABASE_UP, open, up);
    for (size_t i = 0; up && i < STORE_FAMILIES; i++)
        store_write_family(s, &FAMILIES[i], &place, out, open);
}
