/*
 * client_patience: how long trouble is borne, and how long to wait before the next try. Pure: the caller brings the time.
 *
 * With --timeout the command as a whole has that long. Without, it may take for ever as long as the service does what it
 * should, and CLIENT_PATIENCE_MS from the last time that it did.
 */
#ifndef CONSIGN_TOOLS_CLIENT_PATIENCE_H
#define CONSIGN_TOOLS_CLIENT_PATIENCE_H

#include <stdint.h>

#define CLIENT_PATIENCE_MS 60000

struct client_patience {
    int64_t deadline_ms; /* of the monotonic clock; 0: none */
    int64_t good_ms;     /* when the service last did what it should */
};

/* `timeout_s` 0: none was given. */
void client_patience_begin(struct client_patience *p, int64_t now_ms, int64_t timeout_s);

/* The service did what it should. */
void client_patience_good(struct client_patience *p, int64_t now_ms);

/* Milliseconds that are left; 0 or less: none. */
int64_t client_patience_left(const struct client_patience *p, int64_t now_ms);

/* Milliseconds to wait before the next try, after `tries` that failed; what the server asked for by Retry-After
 * (`retry_after_s`, 0: it did not) and a little more, else 250 ms doubled with each try up to 4 s. `random` spreads
 * clients that were sent away together. -1: that is longer than what is left. */
int64_t client_patience_pause(const struct client_patience *p, int64_t now_ms, unsigned tries, int64_t retry_after_s,
                              unsigned random);

#endif
