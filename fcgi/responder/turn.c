/*
 * turn: whose request a worker takes next. See turn.h.
 */
#include "responder/turn.h"

enum request_accept turn_take(struct turn *t)
{
    bool kept = request_kept(t->listener) >= 0;
    if (!t->told && !t->own && kept)
        return REQUEST_NOTHING;
    /* nobody else was told of who waits at the socket, so it comes before a request of the kept connection */
    if (t->told && kept)
        request_release(t->listener);
    t->told = t->own = false;
    return request_accept(t->listener);
}

void turn_wait(struct turn *t, int timeout_ms)
{
    bool kept = request_kept(t->listener) >= 0;
    unsigned found = pool_worker_wait_turn(&t->share, request_kept(t->listener), timeout_ms);
    t->own = (found & POOL_TURN_OWN) != 0;
    /* as without a kept connection: a look at the socket when the time is over (pool.h) */
    t->told = (found & POOL_TURN_SOCKET) != 0 || (found == POOL_TURN_NONE && kept && request_others_wait(t->listener));
}
