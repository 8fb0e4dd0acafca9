/*
 * http: a request to another server, by libcurl. Webhooks, which are sent many at a time to hosts that nobody trusts, have
 * rules of their own (spooler/deliver.h).
 *
 * One request at a time; connections are kept and used again. A request ends when its answer is whole, when nothing moved
 * for a while, or within a tenth of a second after `stop` says so. Certificates are verified, against the system's or a file; no
 * proxy, no redirect, no cookie, no variable of the environment has a say.
 *
 * Works in a confined worker: libcurl's own resolver would start a thread, so names are looked up here, by getaddrinfo()
 * (which waits as resolv.conf says and hears no `stop`), and pinned for HTTP_RESOLVED_MS.
 *
 * SECURITY: neither header lines, nor bodies, nor the user are ever logged. Callers: core/objects.
 */
#ifndef CONSIGN_LIB_HTTP_H
#define CONSIGN_LIB_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/str.h"

#define HTTP_RESOLVED_MS 30000
#define HTTP_CONNECT_MS 5000
#define HTTP_TAG_MAX 128 /* of an ETag, with terminator */

struct http;

/* Whether a wait is to end. */
struct http_stop {
    bool (*asked)(void *arg); /* NULL: never */
    void *arg;
};

/* Once a program, before its workers confine themselves: reads what libraries read when they begin. False: no memory. */
bool http_prepare(void);

/* NULL: no memory. Made by the process that uses it. */
struct http *http_new(void);
void http_free(struct http *http);

struct http_request {
    const char *method;              /* "GET", "HEAD", "PUT", "POST", "DELETE" */
    const char *url;                 /* http or https */
    const char *const *header;       /* "Name: value", up to a NULL; NULL: none */
    const char *ca_file;             /* certificates to trust instead of the system's; "": those */
    const char *sigv4;               /* "aws:amz:REGION:SERVICE": signed by libcurl with `user`, all header lines too; NULL: not */
    const char *user, *secret;       /* of that signature */
    const char *body;                /* of PUT and POST, unless it comes from a file */
    size_t length;
    int file;                        /* with from_file: so many bytes of it from `offset` on */
    bool from_file;
    uint64_t offset;
    struct http_stop stop;
    int silence_ms;                  /* the longest time in which nothing moves */
    size_t answer_most;              /* the longest body that is kept in http_answer */
    /* Takes the body of a 2xx answer instead; false ends the request as HTTP_CUT. NULL: nobody. */
    bool (*take)(void *arg, const char *bytes, size_t length);
    void *take_arg;
};

struct http_answer {
    int status;
    int64_t length;          /* Content-Length; -1: not told */
    char tag[HTTP_TAG_MAX];  /* ETag with its quotes; "": none, or too long */
    struct str body;         /* str_free(); what does not fit is left out and sets its flag */
};

enum http_outcome {
    HTTP_ANSWERED, /* a whole answer, whatever its status */
    HTTP_CUT,      /* none, or not all of it: not reached, ended, silent, or no certificate that we know. Logged */
    HTTP_STOPPED
};

/* `answer` is the caller's to free whatever comes of it. */
enum http_outcome http_call(struct http *http, const struct http_request *request, struct http_answer *answer);

#endif
