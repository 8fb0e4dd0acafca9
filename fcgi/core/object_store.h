/*
 * object_store: the settings of a lake that lies in an object store with the S3 interface, and how its objects are named.
 *
 *   lake.url s3://BUCKET/PREFIX    https://ENDPOINT/BUCKET/PREFIX/<org>/<sandbox>/<dataset>/<batch>/<attempt>/<file>
 *
 * The paths below the prefix are those of core/lake. The bucket stands in the path ("path style"), which Amazon and all
 * others take. Read once, before the workers begin.
 *
 * SECURITY: secret and token are never printed. Callers: main of both programs, core/objects, responder/download,
 * consignctl/verify.
 */
#ifndef CONSIGN_CORE_OBJECT_STORE_H
#define CONSIGN_CORE_OBJECT_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/fault.h"
#include "lib/sigv4.h"

#define OBJECT_STORE_TEXT_MAX 512

struct object_store {
    char origin[OBJECT_STORE_TEXT_MAX]; /* "https://host:port" */
    const char *host;                   /* in it: what the header Host says */
    char bucket[OBJECT_STORE_TEXT_MAX]; /* "/bucket" */
    char prefix[OBJECT_STORE_TEXT_MAX]; /* "", or with a slash at its end only */
    char access[SIGV4_SECRET_MAX];
    char secret[SIGV4_SECRET_MAX];
    char token[SIGV4_TOKEN_MAX]; /* of temporary credentials; "" for none */
    const char *region;
    const char *ca_file; /* "" for the system's */
};

/* Reads the settings lake.url and its like, and the credentials. FAULT_MALFORMED, with a line in the log that names the
 * setting: they are no good. */
enum fault object_store_open(void) MUST_CHECK;

/* The same for given settings and a file of credentials, into *out; what they point to must stay. */
enum fault object_store_read(struct object_store *out, const char *url, const char *endpoint, const char *region,
                             const char *credentials, const char *ca_file) MUST_CHECK;

/* NULL: the lake is a directory (lake.url is not given). */
const struct object_store *object_store(void);

/* The header lines with which one request for an object is made by somebody else (nginx), good for about 15 minutes. */
struct object_store_pass {
    char path[2 * OBJECT_STORE_TEXT_MAX + 1024]; /* of the request */
    char date[SIGV4_DATE_MAX];
    char authorization[SIGV4_AUTHORIZATION_MAX];
    const char *token; /* the store's */
};

/* `relative` is a path of core/lake with a file's name. FAULT_INTERNAL: it does not fit. */
enum fault object_store_sign(const struct object_store *store, const char *method, const char *relative, int64_t wall_ms,
                             struct object_store_pass *out) MUST_CHECK;

#endif
