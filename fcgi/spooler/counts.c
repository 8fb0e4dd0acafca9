/*
 * counts: what this worker has done. See counts.h.
 */
#include "spooler/counts.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "core/stmt_spooler.h"
#include "lib/clock.h"
#include "lib/invariant.h"
#include "lib/str.h"

#define COUNTS_MAX 64
#define COUNTS_NAME_MAX 48
#define COUNTS_EACH_MS 1000
#define COUNTS_TEXT_MAX 8192

static struct {
    char name[COUNTS_NAME_MAX];
    int64_t count;
} counter[COUNTS_MAX];
static int counters;
static bool counted;        /* since it was handed over */
static int64_t handed_ms;
static atomic_int *ended;   /* workers, not handed over yet by any; shared */

static const char *const OUTCOMES[] = {[LEASE_LOST] = "lost",           [LEASE_SUCCEEDED] = "succeeded",
                                       [LEASE_FAILED] = "failed",       [LEASE_CANCELLED] = "cancelled",
                                       [LEASE_RETRIED] = "retried",     [LEASE_HANDED_ON] = "handed_on"};

bool counts_open(void)
{
    void *shared = mmap(NULL, sizeof *ended, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ended = shared == MAP_FAILED ? NULL : shared;
    return ended != NULL;
}

void counts_worker_ended(int slot, void *arg)
{
    (void)slot;
    (void)arg;
    atomic_fetch_add(ended, 1);
}

void counts_add(const char *name, int64_t n)
{
    int i = 0;
    while (i < counters && strcmp(counter[i].name, name) != 0)
        i++;
    if (i == counters) {
        INVARIANT(counters < COUNTS_MAX);
        str_copy_fitting(counter[counters].name, COUNTS_NAME_MAX, name);
        counter[counters++].count = 0;
    }
    counter[i].count += n;
    counted = counted || n != 0;
}

void counts_attempt(const struct lease *l, int64_t ms)
{
    const char *task = lease_task_name(l->task);
    char name[COUNTS_NAME_MAX];
    snprintf(name, sizeof name, "attempts/%s/%s", task, OUTCOMES[l->outcome]);
    counts_add(name, 1);
    snprintf(name, sizeof name, "attempt_ms/%s", task);
    counts_add(name, ms);
    if (l->previous[0] != '\0') {
        snprintf(name, sizeof name, "takeovers/%s", task);
        counts_add(name, 1);
    }
}

/* What has been counted as two arrays, of names and of numbers. */
static void counts_print(struct str *names, struct str *numbers)
{
    for (int i = 0, some = 0; i < counters; i++) {
        if (counter[i].count == 0)
            continue;
        str_printf(names, "%s%s", some > 0 ? "," : "{", counter[i].name);
        str_printf(numbers, "%s%" PRId64, some > 0 ? "," : "{", counter[i].count);
        some++;
    }
    str_append_char(names, '}');
    str_append_char(numbers, '}');
}

void counts_hand_over(struct db *db, struct arena *arena, bool last)
{
    struct str names = STR_INIT(COUNTS_TEXT_MAX), numbers = STR_INIT(COUNTS_TEXT_MAX);
    int64_t now_ms = clock_monotonic_ms();
    if (last ? !db_connected(db) : now_ms - handed_ms < COUNTS_EACH_MS)
        return;
    if (atomic_load(ended) > 0)
        counts_add("workers_ended", atomic_exchange(ended, 0));
    if (!counted)
        return;
    handed_ms = now_ms;
    arena_reset(arena);
    counts_print(&names, &numbers);
    const char *params[] = {names.data, numbers.data};
    if (!names.overflow && !numbers.overflow && db_call(db, arena, 0, &STMT_METRIC_ADD, params, NULL) == FAULT_NONE) {
        counters = 0;
        counted = false;
    }
    str_free(&names);
    str_free(&numbers);
}
