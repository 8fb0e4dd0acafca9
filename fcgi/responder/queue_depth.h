/*
 * queue_depth: how many connections wait in the pool's socket. Called by figures.c, in the supervisor only.
 *
 * The kernel tells by sock_diag (what `ss -lx` shows). SECURITY: that socket family shows every unix socket of the
 * machine, so workers may not open it (confine.c), and it is not kept open for a worker to inherit.
 */
#ifndef CONSIGN_RESPONDER_QUEUE_DEPTH_H
#define CONSIGN_RESPONDER_QUEUE_DEPTH_H

#include <stdbool.h>

/* *waiting: connections not accepted yet; *most: how many may be, then connecting fails at once (nginx: 502).
 * False, both -1: the kernel does not tell (no unix_diag, or it is not permitted). */
bool queue_depth_read(int listen_fd, int *waiting, int *most);

#endif
