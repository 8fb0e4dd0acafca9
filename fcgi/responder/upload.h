/*
 * upload: the body of a request as a file in the inbox.
 */
#ifndef CONSIGN_RESPONDER_UPLOAD_H
#define CONSIGN_RESPONDER_UPLOAD_H

#include "lib/crypto.h"
#include "responder/call.h"

#define UPLOAD_MOST (INT64_C(256) * 1024 * 1024)

struct upload {
    char object[CRYPTO_UUID_TEXT]; /* its name in the inbox */
    int64_t bytes;
};

/* Streams the body of the call into a new object of the batch, whole and durable (file and
 * directory synced) before it returns FAULT_NONE; else nothing is left. FAULT_BODY_TOO_LARGE,
 * FAULT_CONNECTION_CUT, FAULT_DISK, FAULT_DISK_FULL. */
enum fault upload_store(struct call *c, const char *batch, struct upload *out) MUST_CHECK;

/* Whether an object that was entered is still there: a sweep that looked before it was entered may have removed it after. Then
 * it is refused by FAULT_DISK, as nothing that may be acknowledged. */
enum fault upload_look(struct call *c, const char *batch, const struct upload *up) MUST_CHECK;

/* Removes an object; the sweep of the spooler removes what this could not. */
void upload_remove(struct call *c, const char *batch, const char *object);

#endif
