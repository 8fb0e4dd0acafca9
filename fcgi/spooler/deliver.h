/*
 * deliver: POST requests to endpoints, several at once: a cover of libcurl, which nobody else speaks to.
 *
 * SECURITY: what a request may do is decided here. HTTP/1.1 over TLS 1.2 or later (or plain, where the URL was read as such);
 * no redirect is followed, no proxy asked, nothing kept from one request to the next, and each connection is opened only
 * to an address that webhook_address_allowed() takes, asked with the address that connect() gets. Of an answer its status
 * counts; the rest is read up to a bound and thrown away. Names are looked up in threads of libcurl's, so that a slow
 * name server holds up nobody else; no other thread is made. Caller: sender.
 */
#ifndef CONSIGN_SPOOLER_DELIVER_H
#define CONSIGN_SPOOLER_DELIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/webhook_place.h"

#define DELIVER_MOST 64         /* requests at once */
#define DELIVER_LIMIT_MS 10000  /* of a request from its beginning to the end of the answer */
#define DELIVER_REASON_MAX 256  /* with terminator */

struct deliver_request {
    const char *url;
    bool tls; /* as webhook_url_read() says */
    struct webhook_prefix inside;
    const char *id;
    int64_t timestamp_s;
    const char *signature;
    const char *body;
};

struct deliver_result {
    int number;   /* what deliver_begin() answered */
    int status;   /* of the answer; 0: there was none */
    bool refused; /* there was none, because the name led to no address that may be */
    char reason[DELIVER_REASON_MAX]; /* why there was none, for the log; "" if there was */
};

/* Before the process confines itself, with its whole memory. `ca_file`: certificates to trust, "" for the system's; kept by
 * pointer. False: no memory. */
bool deliver_open(const char *ca_file);
/* Ends what is under way, and all else. */
void deliver_close(void);

/* How many more may be begun. */
int deliver_room(void);

/* Begins a request; all that it needs is copied. Its number, or -1: there is no room, or no memory. */
int deliver_begin(const struct deliver_request *request);

/* Goes on with what is under way, and waits for some of it for at most so long. */
void deliver_go_on(int timeout_ms);

/* The next one that has ended; its number may be given anew. False: none has. */
bool deliver_next(struct deliver_result *out);

#endif
