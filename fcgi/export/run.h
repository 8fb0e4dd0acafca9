/*
 * run: an export from the store into files.
 *
 * reader -> merge -> selection -> projection -> sinks, row by row, in memory that does not grow with the store. A
 * run has one sink for each batch that is to be filled and reads one range of persons after the other, as
 * long as it is given some. Several runs, each in its own process, do one job under one snapshot: what they
 * write together is the same whatever the number. Files go to directories that are the run's own; nothing
 * here makes them visible. Callers: the spooler's attempt and helper.
 */
#ifndef CONSIGN_EXPORT_RUN_H
#define CONSIGN_EXPORT_RUN_H

#include <stdint.h>

#include "core/policy.h"
#include "core/spec.h"
#include "export/part.h"
#include "export/preview.h"
#include "export/sink.h"
#include "export/tally.h"
#include "lib/arena.h"
#include "lib/db.h"
#include "lib/fault.h"

#define RUN_TARGETS_MAX SPEC_SEGMENT_BATCHES_MAX

/* How far it is; written as it goes on, read by whoever `tick` is. */
struct run_progress {
    const char *phase; /* "reading", "writing" */
    int64_t profiles_done;
    int64_t profiles_estimated;
    int64_t files_written;
    int64_t bytes_written; /* into these and unfinished ones */
};

/* A batch that the run fills. With per_segment, target i takes the profiles of orders->segment[i]. */
struct run_target {
    int directory;     /* open descriptor; nobody else writes there */
    const char *batch; /* for the files' metadata */
};

/* All pointers are the caller's, good until run_free(). */
struct run_order {
    struct db *fragments; /* two connections that nothing else uses */
    struct db *events;
    struct arena *arena;
    int org;
    int sandbox;
    int64_t job;
    const char *snapshot; /* of the run that this one helps; NULL: a new one */
    const struct spec_orders *orders;
    const struct policy *policy;
    enum sink_format format;
    enum sink_compression compression;
    uint64_t part_bytes;
    size_t memory_bytes; /* what all sinks together may hold */
    const struct run_target *target;
    uint32_t targets;
    bool per_segment;
    bool always; /* a target without rows still gets a file, where the format has one for that */
    /* Asked at every row, event and finished target, and must be cheap: FAULT_NONE, or the fault to end with. */
    enum fault (*tick)(void *arg);
    /* The next range of persons to read, [*from, *to); *over when there is none. */
    enum fault (*next_range)(void *arg, int64_t *from, int64_t *to, bool *over);
    void *arg; /* of both */
    struct run_progress *progress;
};

/* A file that was written. */
struct run_file {
    uint32_t target;
    struct part_description part;
};

/* What came of it; adds up over several calls of run_write(). */
struct run_result {
    int64_t watermark_ms;
    int64_t identities;   /* of the tenant */
    const char *snapshot; /* for helpers; in the order's arena */
    int64_t profiles;     /* rows, one of several targets counted once */
    int64_t events;
    int64_t too_many_identities; /* profiles that were left out */
    int64_t too_large;
    int64_t end_ms;            /* wall time of run_end(): everything was read and written, by the helpers too */
    struct tally *namespaces;  /* rows with an identity in it */
    const struct preview *preview; /* the first rows */
    struct run_file *file;     /* whole and durable */
    uint32_t files;
};

struct run;

/* Takes or joins the snapshot and makes all ready. Whatever comes of it, *out (NULL: no memory) is released with
 * run_free(). Any fault of the database or memory; FAULT_INTERNAL (logged) for orders that can't be carried out. */
enum fault run_open(const struct run_order *order, struct run **out) MUST_CHECK;

/* What is known so far. */
const struct run_result *run_result(const struct run *run);

/* Reads, merges and writes all ranges that it gets. On FAULT_NONE all files are durable and listed. May be called
 * again when there are new ranges. Any fault of the database, the disk, tick or next_range: then only
 * run_free() may follow, and the files of this call are removed. */
enum fault run_write(struct run *run) MUST_CHECK;

/* Ends the snapshot. For the run that took it: when no other needs it any more. */
enum fault run_end(struct run *run) MUST_CHECK;

/* Closes the connections if run_end() did not end in peace. Files stay. NULL is fine. */
void run_free(struct run *run);

/* Figures as JSON: {"reason":n} of profiles left out, zeros too; {"ns":n}. */
void run_print_skipped(const struct run_result *result, struct str *out);
void run_print_namespaces(const struct run_result *result, struct str *out);

#endif
