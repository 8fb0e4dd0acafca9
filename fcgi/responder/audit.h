/*
 * audit: one line in the log for every call that changes something, or asked to. Called by the pipeline.
 *
 * A call is audited when its method changes things (POST, PUT, PATCH, DELETE) and it is known who asks:
 * the tenant was verified, or it is a request for a token. Refused or not, cut off or not: one line, at the
 * end of the call. It takes the place of the ordinary line of a request, and no log level silences it.
 *
 *   time level process pid req org sandbox event=audit action object status problem client token ms
 *
 * SECURITY: what comes from outside stands in quotes, escaped (log_quote), so nobody can forge a line or a
 * member of one. Of a token only the first 8 hex digits of its SHA-256 are told, of a body nothing.
 */
#ifndef CONSIGN_RESPONDER_AUDIT_H
#define CONSIGN_RESPONDER_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/fault.h"
#include "responder/request.h"

#define AUDIT_TOKEN_DIGITS 8

struct call;

/* What the steps of a call note for its line. Zeroed: nothing yet. Texts live as long as the request. */
struct audit_note {
    const char *action; /* a constant; NULL: the route's name says it */
    const char *object; /* the id of what was made or touched; NULL: what the path names */
    const char *client; /* of a token request: who it says it is; NULL: the verified client */
    enum fault fault;   /* that the client was told of */
    char token[AUDIT_TOKEN_DIGITS + 1]; /* "": none */
};

/* Whether calls with that method are audited. */
bool audit_method(enum method method);

/* Notes the digest of the token that was used, or made. */
void audit_note_token(struct audit_note *note, const char *token, size_t length);

/* Writes the line of a call that has ended. `cut`: the connection was, and nobody was answered (status 0).
 * False: the call is none that is audited. */
bool audit_write(const struct call *c, bool cut, int64_t ms);

#endif
