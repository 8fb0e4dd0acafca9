/*
 * client_problem: what an answer that is no success says. Callers: client_session and client_transfer.
 */
#ifndef CONSIGN_TOOLS_CLIENT_PROBLEM_H
#define CONSIGN_TOOLS_CLIENT_PROBLEM_H

#include <stddef.h>

/* One line of a refusal: of a problem (RFC 9457) title, detail, pointer and request id; of the gateway's and the token
 * endpoint's errors their texts; else the status alone. `body` may be NULL. Returns out. */
char *client_problem_text(char *out, size_t size, long status, const char *body, size_t length);

#endif
