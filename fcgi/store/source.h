/*
 * source: the bytes of one file of a batch, as they lie in the inbox: one object, or the pieces that it came in, one
 * after the other. Caller: store/ingest.
 */
#ifndef CONSIGN_STORE_SOURCE_H
#define CONSIGN_STORE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/db.h"
#include "lib/fault.h"

/* The columns of STMT_UPLOAD_LIST. */
enum source_column { SOURCE_NAME, SOURCE_OBJECT, SOURCE_BYTES, SOURCE_ENCODING, SOURCE_FORMAT, SOURCE_DELIMITER };

/* All pointers are the caller's. */
struct source {
    const char *inbox; /* setting inbox.dir */
    int org;
    int sandbox;
    const char *batch;
    const struct db_rows *files; /* of STMT_UPLOAD_LIST */
    int row;                     /* the object that is read */
    int stop;                    /* the first row of the next file */
    int file;                    /* descriptor; -1: none is open */
    enum fault fault;            /* why source_read() gave up */
};

/* Begins the file whose first object stands in `row`; source->stop becomes the row of the file after it. */
void source_open(struct source *source, int row);
/* Lets go of what is open. */
void source_close(struct source *source);

/* An upload_read on a struct source. -1: source->fault is FAULT_DISK, an object is missing, has another size than the
 * pool noted, or can't be read. */
ssize_t source_read(void *source, char *out, size_t room);

#endif
