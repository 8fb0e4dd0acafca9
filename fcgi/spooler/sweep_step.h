/*
 * sweep_step: what the steps of a sweep have in common. Callers: the files sweep*.c.
 */
#ifndef CONSIGN_SPOOLER_SWEEP_STEP_H
#define CONSIGN_SPOOLER_SWEEP_STEP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/ident.h"
#include "lib/arena.h"
#include "lib/db.h"
#include "lib/fault.h"

#define SWEEP_PLACE_MAX 128 /* of a mark, with terminator */

struct sweep {
    struct db *db;
    struct arena *arena; /* reset after each question */
    const char *step;    /* its name, also of its mark */
    int64_t until_ms;    /* when the step ends for this time (clock_monotonic_ms), if it can go on the next */
    int64_t removed;     /* directories and files */
    int64_t expired;     /* batches */
    int64_t archived;    /* jobs */
    int64_t forgotten;   /* batches */
    int64_t abandoned;   /* batches */
};

/* All steps: FAULT_STOPPED when a stop was asked for, and what a statement came to. What the file system refuses is
 * logged, and the step goes on with the rest. `mark`, of those that have one, is what sweep_mark() kept the last time, ""
 * for the start. */
enum fault sweep_attempts(struct sweep *s) MUST_CHECK;
enum fault sweep_uploads(struct sweep *s) MUST_CHECK; /* a part of the step attempts */
enum fault sweep_inbox(struct sweep *s) MUST_CHECK;
enum fault sweep_expire(struct sweep *s, const char *mark) MUST_CHECK;
enum fault sweep_lake(struct sweep *s, const char *mark) MUST_CHECK;
enum fault sweep_archive(struct sweep *s, const char *mark) MUST_CHECK;
enum fault sweep_keys(struct sweep *s) MUST_CHECK;
enum fault sweep_events(struct sweep *s) MUST_CHECK;

/* Where a step is; ids that it does not go by are "". */
struct sweep_place {
    int org, sandbox;
    char dataset[IDENT_DATASET_DIGITS + 1];
    char batch[IDENT_BATCH_DIGITS + 1];
};

/* The place that a mark, "org/sandbox/dataset/batch", stands for; all zeros for the start, and for what is no mark. */
struct sweep_place sweep_place_read(const char *mark);
void sweep_place_write(const struct sweep_place *place, char mark[static SWEEP_PLACE_MAX]);

/* Keeps where the step goes on the next time. */
enum fault sweep_mark(struct sweep *s, const char *place) MUST_CHECK;

/* FAULT_STOPPED when a stop was asked for. */
enum fault sweep_go_on(void) MUST_CHECK;

/* Whether the step has had its time. */
bool sweep_time_is_up(const struct sweep *s);

/* Until when files may be removed after a statement, by clock_monotonic_ms(): a session that says nothing is ended
 * (spooler.silence_ms), and the worker has other work too. */
int64_t sweep_removals_end(void);

/* Calls visit(path, name) with every name in a directory that does not begin with a dot, until it answers a fault or a stop
 * is asked for. A directory that is not there has none. */
enum fault sweep_each(struct sweep *s, const char *path,
                      enum fault (*visit)(struct sweep *s, const char *path, const char *name, void *arg),
                      void *arg) MUST_CHECK;

/* Asks a yes-or-no statement; *number, unless NULL, is its second column. */
enum fault sweep_ask(struct sweep *s, int org, const struct stmt *stmt, const char *const *params, bool *yes,
                     int64_t *number) MUST_CHECK;

/* Removes a directory or file, counts it, and says so in the log. */
void sweep_remove(struct sweep *s, const char *path);

/* The same for what was removed otherwise, or was not: `fault`, which was logged. */
void sweep_removed(struct sweep *s, const char *path, enum fault fault);

#endif
