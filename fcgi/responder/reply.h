/*
 * reply: the answer to one request, built once and written once.
 */
#ifndef CONSIGN_RESPONDER_REPLY_H
#define CONSIGN_RESPONDER_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/arena.h"
#include "lib/fault.h"
#include "lib/jsonio.h"

#define REPLY_HEADERS_MAX 12

struct reply_header {
    const char *name;
    const char *value;
};

/* All texts live in the arena of the request, in its worker's buffer (call_text), or are constants. */
struct reply {
    int status;
    const char *content_type; /* NULL: no body and no type */
    const char *body;
    size_t length;
    int header_count;
    struct reply_header header[REPLY_HEADERS_MAX];
};

/* Adds a header. SECURITY: a value with a control character is a bug and ends the worker. */
void reply_header(struct reply *reply, const char *name, const char *value);

/* 200 (or another status) with a JSON tree, which stays the caller's. */
enum fault reply_json(struct reply *reply, struct arena *a, int status, struct json_object *tree) MUST_CHECK;

/* The same with a JSON text, which must last until the reply is written. */
void reply_text(struct reply *reply, int status, const char *text, size_t length);

/* A problem (RFC 7807, contract.md section 3). detail and pointer may be NULL. */
void reply_problem(struct reply *reply, struct arena *a, enum fault fault, const char *detail, const char *pointer,
                   const char *request_id);

/* One of the reference's gateway errors (contract.md section 2). */
void reply_gateway(struct reply *reply, struct arena *a, int status, const char *code, const char *message);

/* The whole answer as CGI output. `head_only`: without the body. With an exhausted arena it is the problem
 * "internal", in memory that the next call overwrites. */
const char *reply_print(const struct reply *reply, struct arena *a, const char *request_id, bool head_only,
                        size_t *length);

#endif
