/*
 * download: has nginx send a file of a published batch, from the lake's directory or from an object store.
 *
 * For an object store nginx makes the request (nginx/consign/objects.conf) with header lines that are signed here: the
 * signature stands in no URL, so that it is in none of nginx's logs. Of a client's Range only one that is sure to be
 * satisfied goes to the store; everything else, and every condition, nginx does itself as it does for files.
 *
 * SECURITY: the path is made of ids and of a name that the database knows. Caller: files.
 */
#ifndef CONSIGN_RESPONDER_DOWNLOAD_H
#define CONSIGN_RESPONDER_DOWNLOAD_H

#include <stdint.h>

#include "core/lake.h"
#include "responder/call.h"

struct download {
    struct lake_batch batch;
    const char *attempt;
    const char *name;
    const char *type;
    const char *tag;  /* ETag, with its quotes */
    int64_t bytes;    /* of the file; -1: not known */
};

/* Answers the call, with 304 when the client has the file. */
enum fault download_send(struct call *c, const struct download *file) MUST_CHECK;

#endif
