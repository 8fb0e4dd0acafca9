/*
 * load_batch: the batches of `consignctl load` in the database: which one a piece is, and what became of it.
 *
 * A piece's batch id is made from what it is: dataset, form and digest of the bytes. So the catalog itself says what
 * an earlier run did, and no state is kept elsewhere. A batch that failed or was aborted keeps its id; the piece then
 * gets the next one of its row of ids. Caller: load.
 */
#ifndef CONSIGN_TOOLS_LOAD_BATCH_H
#define CONSIGN_TOOLS_LOAD_BATCH_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "consignctl/load_piece.h"

#define LOAD_BATCH_ID 33 /* with terminator */

/* What all pieces of a run have in common. */
struct load_target {
    PGconn *conn; /* as consign_owner */
    char org[12], sandbox[12];
    const char *dataset, *format, *delimiter, *encoding;
    const char *again; /* whatever it is, another one loads the same bytes again; "" */
};

enum load_state {
    LOAD_OPEN,    /* takes files */
    LOAD_WAITING, /* complete, in the queue or in the hands of a worker */
    LOAD_DONE,
    LOAD_FAILED /* or aborted */
};

struct load_batch {
    char id[LOAD_BATCH_ID];
    enum load_state state;
    int64_t records, refused;
    char reason[512]; /* after LOAD_FAILED */
};

/* Finds the tenant of the dataset; ends the program when there is none, or nothing can be loaded into it. */
void load_batch_find_dataset(struct load_target *target);

/* The batch of the piece, made if there is none; `old`: an earlier run made it. */
void load_batch_open(const struct load_target *target, const struct load_piece *piece, struct load_batch *batch,
                     bool *old);

/* Copies the piece into the inbox unless an earlier run has, enters it under `name` and completes the batch. */
void load_batch_send(const struct load_target *target, const struct load_piece *piece, const char *name,
                     struct load_batch *batch);

/* Reads how the batch is. */
void load_batch_look(const struct load_target *target, struct load_batch *batch);

/* Prints the first refused records of the batch, at most `most`; how many that were. */
int load_batch_print_refused(const struct load_target *target, const struct load_batch *batch, int most);

#endif
