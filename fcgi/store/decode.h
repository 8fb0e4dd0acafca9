/*
 * decode: the bytes of an uploaded file as they were before they were compressed.
 *
 * A read function on top of another one: gzip (RFC 1952, any number of members) or zstd (RFC 8878, any number of
 * frames, windows up to 128 MiB), or the bytes as they are. Memory is bounded by the format's window and a buffer of
 * 64 KiB, never by the file, and so is what a small file may become. The only file that knows zlib, and with export's
 * writers the only one that knows libzstd. Caller: store/ingest.
 */
#ifndef CONSIGN_STORE_DECODE_H
#define CONSIGN_STORE_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "store/upload.h"

enum decode_encoding { DECODE_IDENTITY, DECODE_GZIP, DECODE_ZSTD };

enum decode_state {
    DECODE_FINE,
    DECODE_SOURCE,    /* the source's read function failed */
    DECODE_BROKEN,    /* what it gave is not of the encoding, or ends too soon */
    DECODE_TOO_LARGE, /* the file decodes to more than was allowed */
    DECODE_MEMORY
};

struct decode;

/* One per loader, from file to file. NULL: no memory. */
struct decode *decode_new(void);
void decode_free(struct decode *d);

/* The encoding with this name in batch_upload.encoding. False: there is none. */
bool decode_encoding_named(const char *name, enum decode_encoding *out);

/* Begins a file that decodes to at most `most_bytes`; `source` gives what is encoded. */
void decode_open(struct decode *d, enum decode_encoding encoding, int64_t most_bytes, upload_read *source, void *arg);

/* An upload_read on a struct decode. -1: decode_state() and decode_reason() say why. */
ssize_t decode_read(void *d, char *out, size_t room);

enum decode_state decode_state(const struct decode *d);
const char *decode_reason(const struct decode *d); /* of DECODE_BROKEN: constant English text */

#endif
