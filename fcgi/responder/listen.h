/*
 * listen: the socket on which the pool hears nginx, and the lock that says whose it is. Caller: main.
 */
#ifndef CONSIGN_RESPONDER_LISTEN_H
#define CONSIGN_RESPONDER_LISTEN_H

#include <stdbool.h>

/* Two descriptors that live as long as the pool, reloads included (lib/pool_upgrade.h). */
struct listen {
    int socket;
    int lock; /* of the file <path>.lock; whoever holds it may make the socket anew */
};

/* Makes the listening unix socket at path: mode 0660, backlog 4096, not blocking, in a folder that is this
 * user's and has mode 0750 or less. Refused while another pool has the lock: it would lose its socket. False,
 * logged, on failure. */
bool listen_open(struct listen *l, const char *path);

/* Goes on with what the program before had. False, logged: it is no listening socket of this path. */
bool listen_take(struct listen *l, const char *path, int socket_fd, int lock_fd);

#endif
