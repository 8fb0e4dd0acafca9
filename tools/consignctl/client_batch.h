/*
 * client_batch: what a batch holds, by its manifest and by Data Access (contract.md sections 6 and 7). Caller:
 * client_download.
 */
#ifndef CONSIGN_TOOLS_CLIENT_BATCH_H
#define CONSIGN_TOOLS_CLIENT_BATCH_H

#include "consignctl/client_part.h"
#include "consignctl/client_session.h"

#define CLIENT_BATCH_MANIFEST "manifest.json"

#define CLIENT_BATCH_MANIFEST_BYTES (64u * 1024 * 1024) /* as long as the service makes one */
#define CLIENT_BATCH_FILE_BYTES ((INT64_C(1) << 53) - 1) /* what a number of JSON says (RFC 7493) */

/* What the batches of a job may still have, together. */
struct client_budget {
    size_t manifest_bytes; /* from CLIENT_BATCH_MANIFEST_BYTES down */
    int64_t file_bytes;    /* from CLIENT_BATCH_FILE_BYTES down */
};

struct client_batch {
    const char *id;
    int folder; /* the caller's */
    struct client_part *part; /* as many as the manifest has files; in its order */
    int parts;
    struct client_reply manifest;
};

/* Reads the manifest. Ends the program with CLIENT_WRONG_FILE when it is none, or names a file as none may be called, or more
 * bytes than are left, of which it takes its own. The parts get `folder`, and no path yet. */
void client_batch_read(struct client_session *s, const char *id, int folder, struct client_budget *left,
                       struct client_batch *out);

/* Ends the program when a manifest.json is in the folder that is no manifest of this batch: it would be replaced. */
void client_batch_look(const struct client_batch *batch);

/* Asks the service where the files of the batch are, each of which must be one of the manifest's, and all of them there. */
void client_batch_locate(struct client_session *s, struct client_batch *batch);

void client_batch_free(struct client_batch *batch);

#endif
