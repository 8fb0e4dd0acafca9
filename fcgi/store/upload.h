/*
 * upload: cuts an uploaded file into records.
 *
 * Two forms, told apart by the first byte that is not blank: a JSON array of records, or one record
 * a line (blank lines are skipped, CRLF is fine). A third when the caller says so: rows of CSV (RFC 4180; a byte order
 * mark in front of the first and empty lines are skipped). Pure but for the read function it is given, with
 * one bounded buffer: a record that is longer than the limit is passed over without being kept.
 * Caller: store/ingest.
 *
 * Framing looks at brackets and strings only; whether what lies between is a record is
 * profile/record's question, or store/csv's. So one bad element of an array does not cost the others, while an array
 * whose brackets don't fit has no elements that could be trusted.
 */
#ifndef CONSIGN_STORE_UPLOAD_H
#define CONSIGN_STORE_UPLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define UPLOAD_HEAD_BYTES 1024u /* what is shown of a record that is too long */

enum upload_result {
    UPLOAD_RECORD,    /* a text to look at */
    UPLOAD_OVERSIZED, /* a record over the limit; text is its beginning */
    UPLOAD_END,       /* nothing more */
    UPLOAD_BROKEN,    /* an array whose framing is wrong: reason, and where */
    UPLOAD_FAILED     /* the read function said so */
};

/* What was found. `text` is valid until the next call. */
struct upload_record {
    const char *text;
    size_t length;
    int64_t line;       /* of its first byte, from 1 */
    int64_t offset;     /* of its first byte in the file */
    const char *reason; /* of UPLOAD_BROKEN: constant English text */
};

/* Puts up to `room` bytes at `out`; 0 is the end, -1 a failure. */
typedef ssize_t upload_read(void *arg, char *out, size_t room);

enum upload_form { UPLOAD_UNKNOWN, UPLOAD_LINES, UPLOAD_ARRAY, UPLOAD_AFTER_ARRAY, UPLOAD_ROWS };

/* One per loader, from file to file. Everything is private to upload.c. */
struct upload {
    upload_read *read;
    void *arg;
    size_t most_bytes; /* of one record */
    char *buffer;
    size_t capacity, begin, end;
    bool at_end; /* the read function has no more */
    bool failed;
    int64_t line, offset; /* of buffer[begin] */
    enum upload_form form;
    bool first_element;
    char delimiter; /* of rows */
    char head[UPLOAD_HEAD_BYTES];
};

/* False: no memory. `most_bytes` is the longest record that is taken. */
bool upload_init(struct upload *upload, size_t most_bytes) __attribute__((warn_unused_result));
void upload_free(struct upload *upload);

/* Begins a file. */
void upload_open(struct upload *upload, upload_read *read, void *arg);

/* Begins a file that is CSV. */
void upload_open_rows(struct upload *upload, upload_read *read, void *arg, char delimiter);

/* Where reading stands: line and offset of *out. After UPLOAD_FAILED, where that came. */
void upload_place(const struct upload *upload, struct upload_record *out);

enum upload_result upload_next(struct upload *upload, struct upload_record *out);

#endif
