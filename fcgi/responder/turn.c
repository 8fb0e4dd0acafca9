/*
 * turn: whose request a worker takes next. See turn.h.
 */
#include "responder/turn.h"

enum request_accept turn_take(struct turn *t)
{
    unsigned found = t->found;
    t->found = POOL_TURN_NONE;
    t->told = found == (POOL_TURN_SOCKET | POOL_TURN_OWN);
    if (found == POOL_TURN_NONE && request_kept(t->listener) >= 0)
        return REQUEST_NOTHING;
    if (found == POOL_TURN_SOCKET)
        request_release(t->listener);
    enum request_accept accepted = request_accept(t->listener);
    if (accepted == REQUEST_NOTHING)
        t->told = false;
    return accepted;
}

void turn_wait(struct turn *t, int timeout_ms)
{
    t->found = pool_worker_wait_turn(&t->share, request_kept(t->listener), timeout_ms);
    t->told = (t->found & POOL_TURN_SOCKET) != 0;
}
