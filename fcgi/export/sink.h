/*
 * sink: where the rows of an export go, whatever the file format.
 *
 * A row is a profile and its events, each as one JSON object text, handed over one by one, so that a profile
 * with very many events never has to be in memory at once. A sink turns rows into the part files of one
 * batch. Each format implements the functions of struct sink_kind; callers use those below.
 * Caller: export/run.
 *
 * The life of a sink: sink_open; for each row sink_row_begin, any number of sink_row_event, sink_row_end; then
 * sink_finish, read the part list, sink_close. After a fault every call but sink_close answers the same
 * fault again. sink_close without a successful sink_finish removes every file the sink has made: that is
 * the abort.
 */
#ifndef CONSIGN_EXPORT_SINK_H
#define CONSIGN_EXPORT_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export/part.h"
#include "lib/fault.h"

struct rowschema;

enum sink_format { SINK_JSON, SINK_PARQUET };

enum sink_compression {
    SINK_ZSTD, /* fileDescription.compression zstd */
    SINK_PLAIN /* none */
};

/* A key and a value for the files' metadata, where the format has any. */
struct sink_note {
    const char *key;
    const char *value;
};

/* All pointers are the caller's, good until sink_close. */
struct sink_settings {
    enum sink_format format;
    enum sink_compression compression;
    int directory;         /* open descriptor of a directory that nobody else writes to */
    uint64_t part_bytes;   /* a part that has grown to this is ended with its row; 0: one part only */
    size_t memory_bytes;   /* about what the sink may hold of rows; at least 256 KiB */
    bool always;           /* without rows still one part, for formats whose files say something then (Parquet) */
    int64_t *written;      /* a count of the bytes that go into files, also of unfinished ones; NULL: nobody asks */
    const struct rowschema *schema; /* for Parquet */
    const struct sink_note *note;
    uint32_t notes;
};

struct sink;

/* What a format does. The texts are JSON objects that jscan accepts, on one line. */
struct sink_kind {
    enum fault (*row_begin)(struct sink *sink, const char *profile, size_t length);
    enum fault (*row_event)(struct sink *sink, const char *event, size_t length);
    enum fault (*row_end)(struct sink *sink);
    enum fault (*finish)(struct sink *sink); /* ends the part that is open, durably */
    void (*release)(struct sink *sink);      /* discards the part that is open, frees all of its own */
};

/* The part of a sink that all formats share, their structs begin with it. Callers read rows, part
 * and parts after sink_finish: in the order in which the parts were written. */
struct sink {
    const struct sink_kind *kind;
    struct sink_settings settings;
    enum fault fault; /* the first one */
    uint64_t rows;    /* of all parts */
    struct part_description *part;
    uint32_t parts;
    uint32_t part_capacity;
    bool in_row;
    bool finished;
};

/* Makes a sink of settings->format. FAULT_MEMORY. *out is released with sink_close(). */
enum fault sink_open(const struct sink_settings *settings, struct sink **out) MUST_CHECK;

/* Begins a row with its profile; events follow one by one, oldest first. Faults: FAULT_DISK, FAULT_DISK_FULL,
 * FAULT_MEMORY, FAULT_INTERNAL (logged: a value that is not of its column's type). */
enum fault sink_row_begin(struct sink *sink, const char *profile, size_t length) MUST_CHECK;
enum fault sink_row_event(struct sink *sink, const char *event, size_t length) MUST_CHECK;
enum fault sink_row_end(struct sink *sink) MUST_CHECK;

/* Ends the last part. All parts are then synced and listed. */
enum fault sink_finish(struct sink *sink) MUST_CHECK;

/* Frees the sink; without a successful sink_finish before, its files are removed. NULL is fine. */
void sink_close(struct sink *sink);

/* For formats: ends `part` and adds it to the list. */
enum fault sink_add_part(struct sink *sink, struct part *part) MUST_CHECK;

/* For formats: the name of the next part, part-NNNNN-<uuid><suffix>. */
void sink_name_part(const struct sink *sink, const char *suffix, char name[PART_NAME_BYTES]);

/* The formats, for sink_open(). JSON: rows as lines, `eventList` the last member and missing where a row has no
 * events: part-NNNNN-<uuid>.json.zst, or .json. No rows, no parts. Parquet: part-NNNNN-<uuid>.zstd.parquet, or
 * .parquet; see sink_parquet.c. */
enum fault sink_json_open(const struct sink_settings *settings, struct sink **out) MUST_CHECK;
enum fault sink_parquet_open(const struct sink_settings *settings, struct sink **out) MUST_CHECK;

#endif
