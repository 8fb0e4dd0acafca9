/*
 * client_http: one request and its whole answer, which is short enough for memory. Caller: client_session.
 */
#ifndef CONSIGN_TOOLS_CLIENT_HTTP_H
#define CONSIGN_TOOLS_CLIENT_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include "consignctl/client_place.h"
#include "lib/str.h"

#define CLIENT_HTTP_REASON_BYTES 256

struct client_request {
    const char *method;
    const char *path;              /* below the place's URL, with its query */
    const char *const *headers;    /* whole lines, ends with NULL; or NULL */
    const char *body;              /* NULL: none */
    size_t length;
    size_t most_bytes; /* of the answer */
    int64_t most_ms;   /* gives up after that long */
};

struct client_answer {
    long status;
    struct str body;       /* its data is NULL when it is empty */
    int64_t retry_after_s; /* 0: there was none */
};

enum client_reach {
    CLIENT_REACHED, /* there is an answer, of whatever status */
    CLIENT_CUT,     /* there is none; the next try may get one */
    CLIENT_NEVER    /* there is none and will be none: a wrong certificate, an answer that is no HTTP */
};

/* Sends it. The answer is the caller's, for client_http_free(), however it ended; `reason` says why there is none. An
 * answer longer than the bound ends the program. */
enum client_reach client_http_send(const struct client_place *place, const struct client_request *request,
                                   struct client_answer *answer, char reason[CLIENT_HTTP_REASON_BYTES])
    __attribute__((warn_unused_result));

void client_http_free(struct client_answer *answer);

#endif
