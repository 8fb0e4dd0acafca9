/*
 * part: one file of a batch while it is written.
 *
 * Counts and hashes the bytes as they go out, makes them durable, and describes the file for the
 * manifest. Callers: the sinks, manifest. The directory is the attempt's own: nobody else writes
 * there, and the publisher fsyncs and renames it.
 */
#ifndef CONSIGN_EXPORT_PART_H
#define CONSIGN_EXPORT_PART_H

#include <stddef.h>
#include <stdint.h>

#include "lib/crypto.h"
#include "lib/fault.h"
#include "lib/writeback.h"

#define PART_NAME_BYTES 96 /* with terminator */

/* A finished file. */
struct part_description {
    char name[PART_NAME_BYTES];
    uint64_t rows;
    uint64_t bytes;
    char sha256[CRYPTO_SHA256_HEX]; /* of the file's bytes, lower-case hex */
};

/* An open file. Zero it with PART_INIT. */
struct part {
    int file; /* -1 when none is open */
    int directory;
    struct crypto_digest *digest;
    struct writeback writeback;
    struct part_description described; /* name and bytes are kept up; the writer counts rows */
    int64_t *written;                  /* what goes out is added here too; NULL: nowhere. Set after part_create() */
};

#define PART_INIT ((struct part){.file = -1, .directory = -1})

/* All of them: FAULT_DISK_FULL for no space, inodes or quota, FAULT_DISK for any other failure of
 * the file system (both logged with errno), FAULT_MEMORY. After a fault only part_discard() may
 * follow. */

/* Creates `name`, which must not exist yet, in the directory, mode 0640. */
enum fault part_create(struct part *part, int directory, const char *name) MUST_CHECK;

enum fault part_write(struct part *part, const char *bytes, size_t length) MUST_CHECK;

/* Syncs and closes the file and describes it in *done. */
enum fault part_finish(struct part *part, struct part_description *done) MUST_CHECK;

/* Closes and removes the file if one is open. */
void part_discard(struct part *part);

#endif
