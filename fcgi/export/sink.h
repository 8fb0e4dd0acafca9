/*
 * sink: where the rows of an export go, whatever the file format.
 *
 * A sink takes rows as JSON text in pieces, so that a profile with very many events never has to
 * be in memory at once, and turns them into the part files of one batch. Each format implements
 * the functions of struct sink_kind; callers use the inline ones below. Caller: the export's runner.
 *
 * The life of a sink: <format>_sink_open; for each row sink_row_begin, any number of sink_row_bytes,
 * sink_row_end; then sink_finish, read the part list, sink_close. After a fault every call but
 * sink_close answers the same fault again. sink_close without a successful sink_finish removes every
 * file the sink has made: that is the abort.
 */
#ifndef CONSIGN_EXPORT_SINK_H
#define CONSIGN_EXPORT_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export/part.h"
#include "lib/fault.h"

enum sink_compression {
    SINK_ZSTD, /* fileDescription.compression zstd */
    SINK_PLAIN /* none */
};

struct sink_settings {
    int directory; /* open descriptor of the attempt's directory; the caller's, open until sink_close */
    enum sink_compression compression;
    uint64_t part_bytes; /* a part that has grown to this is ended with its row; 0: one part only */
};

struct sink;

/* What a format does. row_bytes gets the pieces of one JSON object on one line. */
struct sink_kind {
    enum fault (*row_begin)(struct sink *sink);
    enum fault (*row_bytes)(struct sink *sink, const char *bytes, size_t length);
    enum fault (*row_end)(struct sink *sink);
    enum fault (*finish)(struct sink *sink); /* ends the part that is open, durably */
    void (*release)(struct sink *sink);      /* discards the part that is open, frees all of its own */
};

/* The part of a sink that all formats share, their structs begin with it. Callers read rows, part
 * and parts after sink_finish: in the order in which the parts were written. No rows, no parts. */
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

enum fault sink_row_begin(struct sink *sink) MUST_CHECK;
enum fault sink_row_bytes(struct sink *sink, const char *bytes, size_t length) MUST_CHECK;
enum fault sink_row_end(struct sink *sink) MUST_CHECK;

/* Ends the last part. All parts are then synced and listed. */
enum fault sink_finish(struct sink *sink) MUST_CHECK;

/* Frees the sink; without a successful sink_finish before, its files are removed. NULL is fine. */
void sink_close(struct sink *sink);

/* For formats: ends `part` and adds it to the list. */
enum fault sink_add_part(struct sink *sink, struct part *part) MUST_CHECK;

/* For formats: the name of the next part, part-NNNNN-<uuid><suffix>. */
void sink_name_part(const struct sink *sink, const char *suffix, char name[PART_NAME_BYTES]);

/* Rows as they come, one JSON object a line: part-NNNNN-<uuid>.json.zst, or .json for SINK_PLAIN.
 * FAULT_MEMORY. *out is released with sink_close(). */
enum fault json_sink_open(const struct sink_settings *settings, struct sink **out) MUST_CHECK;

#endif
