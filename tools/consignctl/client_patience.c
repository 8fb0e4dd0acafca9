/*
 * client_patience: how long trouble is borne. See client_patience.h.
 */
#include "consignctl/client_patience.h"

#define PAUSE_FIRST_MS 250
#define PAUSE_DOUBLINGS 4
#define PAUSE_SPREAD_MS 250
#define RETRY_AFTER_MOST_S 86400 /* what is longer is longer than any patience */

void client_patience_begin(struct client_patience *p, int64_t now_ms, int64_t timeout_s)
{
    *p = (struct client_patience){.deadline_ms = timeout_s > 0 ? now_ms + timeout_s * 1000 : 0, .good_ms = now_ms};
}

void client_patience_good(struct client_patience *p, int64_t now_ms)
{
    p->good_ms = now_ms;
}

int64_t client_patience_left(const struct client_patience *p, int64_t now_ms)
{
    return (p->deadline_ms > 0 ? p->deadline_ms : p->good_ms + CLIENT_PATIENCE_MS) - now_ms;
}

int64_t client_patience_pause(const struct client_patience *p, int64_t now_ms, unsigned tries, int64_t retry_after_s,
                              unsigned random)
{
    int64_t asked_s = retry_after_s < RETRY_AFTER_MOST_S ? retry_after_s : RETRY_AFTER_MOST_S;
    int64_t pause = asked_s > 0 ? asked_s * 1000 : PAUSE_FIRST_MS << (tries < PAUSE_DOUBLINGS ? tries : PAUSE_DOUBLINGS);
    pause += random % PAUSE_SPREAD_MS;
    return pause < client_patience_left(p, now_ms) ? pause : -1;
}
