/*
 * objects: what is asked of an object store, request by request (Amazon S3 API Reference).
 *
 * All keys are relative to the prefix of lake.url: paths of core/lake, with a file's name at the end. Requests are signed
 * by libcurl (Signature Version 4) with the SHA-256 of their bodies, so that the store refuses a body of which a byte
 * changed on its way. What may go well the next time (no answer, 5xx, SlowDown) is tried again after a pause, some times.
 *
 * Faults of all: FAULT_DISK, what may go well later; FAULT_STORE, the store refuses it (403, no such bucket), which a
 * human has to mend; FAULT_STOPPED, `stop` said so, or the time is up; FAULT_MEMORY; FAULT_NOT_FOUND where it is named.
 * Logged here, with the store's code. One call at a time in a process. Callers: spooler/lake_objects, consignctl/verify.
 */
#ifndef CONSIGN_CORE_OBJECTS_H
#define CONSIGN_CORE_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/crypto.h"
#include "lib/fault.h"
#include "lib/http.h"

#define OBJECTS_NAME_MAX 128   /* of one name between slashes that is told, with terminator */
#define OBJECTS_UPLOAD_MAX 512 /* of an upload's id */
#define OBJECTS_KEY_MAX 1024   /* of a key, the prefix included */

/* How long a call may go on. */
struct objects_patience {
    struct http_stop stop;
    int64_t until_ms; /* by the monotonic clock; 0: as long as it takes */
    int64_t each_ms;  /* of objects_remove_all(): no longer than so without one that went, within until_ms; 0: no such bound */
    bool once;        /* a removal is not tried again */
};

/* A file that is uploaded. */
struct objects_file {
    int fd;
    uint64_t bytes;
    const char *sha256; /* lower-case hex, of the bytes as they were written */
    const char *type;   /* Content-Type */
};

/* Uploads a file; above lake.part_bytes in parts, which the store puts together at the end. Then looks whether the object
 * is there as it was sent. FAULT_DISK too when the file's bytes are not those of its SHA-256. After a fault nothing is
 * there, or what objects_remove_all() removes. */
enum fault objects_upload(const char *key, const struct objects_file *file, const struct objects_patience *p) MUST_CHECK;

/* Reads an object. FAULT_NOT_FOUND; FAULT_DISK also when `take` says no. */
enum fault objects_read(const char *key, bool (*take)(void *arg, const char *bytes, size_t length), void *arg,
                        const struct objects_patience *p) MUST_CHECK;

/* Removes an object. Fine when it is not there. */
enum fault objects_remove(const char *key, const struct objects_patience *p) MUST_CHECK;

/* Removes all objects whose keys begin with `prefix`, and the uploads to such keys that never ended. One that can't be
 * removed holds up none of the others, and is for the next time. *removed: how many went, whatever comes of it. */
enum fault objects_remove_all(const char *prefix, const struct objects_patience *p, int64_t *removed) MUST_CHECK;

/* For whoever removes one after another: after a FAULT_DISK or FAULT_STORE of one, FAULT_NONE, the first of which is kept
 * in *left, and the others are tried once each, so that they still have their turn. Any other fault as it is. */
enum fault objects_go_on(enum fault fault, enum fault *left, struct objects_patience *p) MUST_CHECK;

/* ---- lists (object_lists.c) ---- */

/* Calls visit() for what stands below `directory` ("" or with a slash at its end) and behind the name `after` ("": from the
 * first), in order: names up to the next slash; `more` is whether there was a slash. Names over OBJECTS_NAME_MAX are cut.
 * Ends when visit() answers false, or all were told. */
enum fault objects_list(const char *directory, const char *after, bool (*visit)(void *arg, const char *name, bool more),
                        void *arg, const struct objects_patience *p) MUST_CHECK;

/* Calls visit() for up to 1000 keys that begin with `prefix` and stand behind `after` (a key, ""); *over false: there are
 * others. */
enum fault objects_keys(const char *prefix, const char *after, enum fault (*visit)(void *arg, const char *key), void *arg,
                        bool *over, const struct objects_patience *p) MUST_CHECK;

/* Calls visit() for each upload that was begun and has not ended, to keys that begin with `prefix`. */
enum fault objects_uploads(const char *prefix, enum fault (*visit)(void *arg, const char *key, const char *upload), void *arg,
                           const struct objects_patience *p) MUST_CHECK;

/* Ends an upload without an object. Fine when it is not there. */
enum fault objects_abort(const char *key, const char *upload, const struct objects_patience *p) MUST_CHECK;

#endif
