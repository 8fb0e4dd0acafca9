/*
 * content_range: the header Content-Range of a request (RFC 9110 section 14.4), as an upload in pieces uses it. Pure.
 * Caller: import_file.
 */
#ifndef CONSIGN_RESPONDER_CONTENT_RANGE_H
#define CONSIGN_RESPONDER_CONTENT_RANGE_H

#include <stdbool.h>
#include <stdint.h>

struct content_range {
    bool asks;     /* no bytes come: the client asks how far the file is */
    int64_t first; /* of the bytes that come */
    int64_t last;
    int64_t total; /* of the file */
};

/* Reads "bytes first-last/total", or "bytes * /total" without the blank. False: it is neither, the total is unknown
 * (*), the range runs backwards or past the total, or a number has more than 15 digits. */
bool content_range_read(const char *text, struct content_range *out) __attribute__((warn_unused_result));

#endif
