/*
 * client_session: who we are to the service, a token that is renewed by itself, and calls that are repeated until they are
 * answered or there is no time left. Callers: the commands.
 */
#ifndef CONSIGN_TOOLS_CLIENT_SESSION_H
#define CONSIGN_TOOLS_CLIENT_SESSION_H

#include <stdint.h>

#include "consignctl/client_args.h"
#include "consignctl/client_http.h"
#include "consignctl/client_patience.h"
#include "consignctl/client_place.h"
#include "consignctl/client_profile.h"
#include "lib/jsonio.h"

#define CLIENT_SESSION_HEADERS 4
#define CLIENT_SESSION_KEY_BYTES 64

struct client_session {
    struct client_place place;
    struct client_profile who;
    const char *profile; /* new tokens are kept there; NULL: nowhere */
    struct client_patience patience;
    unsigned tokens;                                  /* grows with each new token */
    const char *header[CLIENT_SESSION_HEADERS + 1];   /* whole lines: token, key, org, sandbox, NULL */
};

/* What a call answers. */
struct client_reply {
    long status;
    struct json_object *document; /* NULL: no body */
    struct client_answer answer;
    struct arena *memory; /* of the document */
};

/* The session that the options and the environment name. Ends the program when there is no login, or a bad one. */
void client_session_open(struct client_session *s, const struct client_args *args);

/* Begins one as s->who, which is filled in, with what --timeout, --cacert and --insecure-http say. */
void client_session_begin(struct client_session *s, const struct client_args *args);

/* Makes sure that there is a token that is not about to expire, and the headers with it. */
void client_session_enter(struct client_session *s);

/* A new token in any case, kept with the profile if there is one. False: there is no secret to get one by. */
bool client_session_renew(struct client_session *s);

/* The Idempotency-Key of a command that makes something: what --idempotency-key says, else a new one in `made`, so that
 * the request can be repeated without making two. */
const char *client_session_key(const struct client_args *args, char made[CLIENT_SESSION_KEY_BYTES]);

/* A call whose repetition changes nothing: GET, DELETE, or POST with `key` as Idempotency-Key (NULL: none). `body` may be
 * NULL. Repeated after 408, 429, 502, 503, 504 and cut connections, and once after 401 with a new token. Ends the program
 * unless the answer is a success and, if it has a body, JSON. The reply is the caller's, for client_session_free(). */
void client_session_call(struct client_session *s, const char *method, const char *path, const char *key,
                         struct json_object *body, struct client_reply *out);

/* A GET whose answer is long, up to `most_bytes`, and mostly text: with more than a value or name for each 16 bytes it is
 * refused, as that would take many times its length in memory. Else as client_session_call(). */
void client_session_get_long(struct client_session *s, const char *path, size_t most_bytes, struct client_reply *out);

/* Sleeps before the next try of what failed because of `reason`; ends the program when there is not enough time. */
void client_session_pause(struct client_session *s, unsigned tries, int64_t retry_after_s, const char *reason);

void client_session_free(struct client_reply *reply);

#endif
