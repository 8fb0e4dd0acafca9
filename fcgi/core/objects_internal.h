/*
 * objects_internal: one request of an object store; see objects.h. Callers: the files objects*.c, object_*.c.
 */
#ifndef CONSIGN_CORE_OBJECTS_INTERNAL_H
#define CONSIGN_CORE_OBJECTS_INTERNAL_H

#include "core/objects.h"
#include "lib/sigv4.h"

#define OBJECTS_ANSWER_MAX (4u * 1024u * 1024u) /* a list of 1000 keys is about 500 KB */

struct objects_call {
    const char *method;
    const char *key;       /* NULL: the bucket */
    const char *query;     /* names in order, each with its '=', values encoded; "" for none */
    const char *sha256;    /* of the body; NULL: there is none */
    const char *type;      /* its Content-Type; NULL */
    const char *body;
    size_t length;
    int file; /* the body is of this file, from `offset` on */
    bool from_file;
    uint64_t offset;
    bool (*take)(void *arg, const char *bytes, size_t length);
    void *take_arg;
    bool once; /* not tried again */
};

/* Makes the call. FAULT_NOT_FOUND: the store says that there is no such object or upload, which it can't to a HEAD, whose
 * answer has no body; a 404 of anybody else is FAULT_DISK. The answer's body is the caller's to free, whatever comes of it. */
enum fault objects_call(const struct objects_call *call, const struct objects_patience *p,
                        struct http_answer *answer) MUST_CHECK;

/* Appends a value of a query, percent-encoded (RFC 3986 section 2.3 names what stays). */
void objects_append_value(struct str *out, const char *value);

/* The key without the prefix of lake.url, or NULL: it is not below it. */
const char *objects_relative(const char *key);

#endif
