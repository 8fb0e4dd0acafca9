/*
 * load_piece: what `consignctl load` makes a batch of: a file, or a part of one that ends at a line's end.
 *
 * Only plain files of one object a line are cut. The records of an array, CSV under its header and compressed bytes
 * belong together, so such a file is one piece, whatever its size. Caller: load.
 */
#ifndef CONSIGN_TOOLS_LOAD_PIECE_H
#define CONSIGN_TOOLS_LOAD_PIECE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/crypto.h"

struct load_piece {
    const char *path; /* the caller's */
    int fd;
    int64_t file_bytes;
    int64_t begin, bytes;
    bool cuttable;
    char digest[CRYPTO_SHA256_HEX]; /* of the bytes; load_piece_next() makes it */
};

/* Opens a file; ends the program when it is none, or cannot be read. `plain`: lines of JSON, not compressed. */
void load_piece_open(struct load_piece *piece, const char *path, bool plain);

/* The next piece of about `most` bytes, more only to reach a line's end. False: there is no more; the file is closed.
 * An empty file has none. */
bool load_piece_next(struct load_piece *piece, int64_t most);

/* Reads up to `room` bytes of the file from `at` on, all that there are. Ends the program when the disk fails, or
 * the file has become shorter. */
void load_piece_read(const struct load_piece *piece, int64_t at, char *out, int64_t room);

#endif
