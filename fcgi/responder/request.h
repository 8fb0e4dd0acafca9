/*
 * request: one HTTP request as it came over FastCGI, copied and bounded.
 *
 * The only place that knows libfcgi. Parameters are copied into the arena once, so that nothing
 * later reads what the library still owns. What FastCGI cut short is found here (facts.md): nobody
 * acts on a request before request_whole() or request_read_body() said that all of it came.
 */
#ifndef CONSIGN_RESPONDER_REQUEST_H
#define CONSIGN_RESPONDER_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/fault.h"

#define REQUEST_PARAMS_MAX 200
#define REQUEST_PARAMS_BYTES (96u * 1024u)
#define REQUEST_PATH_MAX 8192
#define REQUEST_ID_MAX 128

/* What nginx wants of a request (nginx/consign.conf). */
enum request_stage {
    REQUEST_WHOLE,  /* the answer; all of it is here */
    REQUEST_ASKS,   /* whether to let the body come: only the headers are here */
    REQUEST_REFUSED /* the answer, after a no to that: whatever comes of the body is not read */
};

enum method { METHOD_GET, METHOD_HEAD, METHOD_POST, METHOD_PUT, METHOD_PATCH, METHOD_DELETE, METHOD_OTHER };

struct request_param {
    const char *name; /* CGI form: HTTP_X_API_KEY */
    const char *value;
};

struct request {
    struct arena *arena;
    enum method method;
    const char *path;  /* of the request line, before the '?', still percent-encoded */
    const char *query; /* after the '?', still encoded; "" for none */
    const char *id;    /* the client's x-request-id when it is acceptable, else nginx's */
    bool ops;          /* came in by the operators' listener */
    enum request_stage stage;
    bool asked;        /* the pool has been asked about it before */
    int64_t content_length; /* announced; 0 for none; -1: announced, but not a number */
    int param_count;
    struct request_param param[REQUEST_PARAMS_MAX];
};

/* The listening side of a worker. */
struct request_listener;

/* Prepares libfcgi for a worker. NULL: it cannot. */
struct request_listener *request_listener_new(int fd);
void request_listener_free(struct request_listener *l);

enum request_accept { REQUEST_ACCEPTED, REQUEST_NOTHING, REQUEST_FAILED };

/* Takes the next request and reads its parameters: of the kept connection if there is one, which must be readable (there is
 * no time limit), else of the next at the socket. REQUEST_NOTHING: another worker was faster. */
enum request_accept request_accept(struct request_listener *l);

/* Between two requests: the descriptor of the kept connection, or -1. */
int request_kept(const struct request_listener *l);
/* Drops it, if there is one. */
void request_release(struct request_listener *l);

/* Copies the accepted request. FAULT_HEADERS_TOO_LARGE over the bounds, FAULT_CONNECTION_CUT when it ended early. */
enum fault request_copy(struct request_listener *l, struct arena *a, struct request *out) MUST_CHECK;

/* The value of a parameter, or NULL. */
const char *request_param(const struct request *r, const char *name);
/* How often it came: a repeated header shows as two equal names. */
int request_param_count(const struct request *r, const char *name);

/* Whether the request ended where it had to, as far as it was read. */
bool request_whole(struct request_listener *l);

/* Reads the whole body, of at most `most` bytes, into the arena, with a terminator. FAULT_BODY_TOO_LARGE,
 * FAULT_CONNECTION_CUT, FAULT_MALFORMED (no number announced), FAULT_MEMORY. */
enum fault request_read_body(struct request_listener *l, struct request *r, size_t most, const char **out,
                             size_t *length) MUST_CHECK;

/* Reads the next piece of the body, at most `size` bytes; *got is 0 at the end. FAULT_CONNECTION_CUT when
 * that is not the announced end. */
enum fault request_read_piece(struct request_listener *l, char *out, size_t size, size_t *got) MUST_CHECK;

/* Whether nginx has gone away meanwhile. */
bool request_abandoned(struct request_listener *l);

/* Whether another request is in the socket's queue at this moment, waiting for a worker. */
bool request_others_wait(struct request_listener *l);

/* Sends an answer that is complete in itself, and ends the request. Nginx's wish to keep the connection is granted after a
 * GET or HEAD of which all was read, while nobody else waits at the socket. */
void request_answer(struct request_listener *l, const char *bytes, size_t length);
/* Ends the request without an answer. */
void request_drop(struct request_listener *l);

#endif
