/*
 * listen: the pool's socket. See listen.h.
 */
#include "responder/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/str.h"

#define LISTEN_BACKLOG 4096 /* facts.md: a burst beyond it is a 502 at once */
#define LISTEN_LOCK_TRIES 40 /* 2 s: the workers of a pool that was killed may still be ending */
#define LISTEN_LOCK_PAUSE_NS 50000000

static bool listen_refuse(const char *path, const char *reason)
{
    log_event(LOG_ERROR, "listen", "socket=%s reason=\"%s\"", log_quote(path), reason);
    return false;
}

/* SECURITY: whoever may enter the folder can connect to the socket through libfcgi's known holes (facts.md),
 * and whoever may write to it can put another socket in its place. */
static bool listen_check_folder(const char *path)
{
    char folder[sizeof((struct sockaddr_un *)0)->sun_path];
    struct stat info;
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash == NULL ? 1 : (int)(slash - path) + 1, slash == NULL ? "." : path);
    if (stat(folder, &info) != 0)
        return listen_refuse(folder, strerror(errno));
    if (info.st_uid != geteuid())
        return listen_refuse(folder, "the folder belongs to another user");
    if ((info.st_mode & 027) != 0)
        return listen_refuse(folder, "the folder is open to others; mode 0750 or less is required");
    return true;
}

/* The lock goes with the last process that has it: the supervisor and its workers. */
static bool listen_lock(struct listen *l, const char *path)
{
    static const struct timespec PAUSE = {.tv_nsec = LISTEN_LOCK_PAUSE_NS};
    char name[sizeof((struct sockaddr_un *)0)->sun_path + sizeof ".lock"];
    snprintf(name, sizeof name, "%s.lock", path);
    l->lock = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (l->lock < 0)
        return listen_refuse(name, strerror(errno));
    for (int i = 0; i < LISTEN_LOCK_TRIES; i++) {
        if (flock(l->lock, LOCK_EX | LOCK_NB) == 0)
            return true;
        nanosleep(&PAUSE, NULL);
    }
    return listen_refuse(path, "another pool serves on this socket");
}

static bool listen_make(struct listen *l, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    str_copy_fitting(address.sun_path, sizeof address.sun_path, path);
    l->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    unlink(path);
    mode_t before = umask(0117); /* SECURITY: 0660 from the first moment; nginx is in the group */
    bool good = l->socket >= 0 && bind(l->socket, (struct sockaddr *)&address, sizeof address) == 0 &&
                listen(l->socket, LISTEN_BACKLOG) == 0;
    umask(before);
    return good || listen_refuse(path, strerror(errno));
}

bool listen_open(struct listen *l, const char *path)
{
    *l = (struct listen){-1, -1};
    if (strlen(path) >= sizeof((struct sockaddr_un *)0)->sun_path)
        return listen_refuse(path, "path too long");
    if (listen_check_folder(path) && listen_lock(l, path) && listen_make(l, path))
        return true;
    if (l->socket >= 0)
        close(l->socket);
    if (l->lock >= 0)
        close(l->lock);
    return false;
}

bool listen_take(struct listen *l, const char *path, int socket_fd, int lock_fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNSPEC};
    socklen_t size = sizeof address - 1; /* the last byte stays a terminator */
    int listening = 0;
    socklen_t listening_size = sizeof listening;
    if (getsockopt(socket_fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &listening_size) != 0 || listening == 0 ||
        getsockname(socket_fd, (struct sockaddr *)&address, &size) != 0 || address.sun_family != AF_UNIX ||
        strcmp(address.sun_path, path) != 0)
        return listen_refuse(path, "what was handed over is no listening socket of this path");
    *l = (struct listen){socket_fd, lock_fd};
    return true;
}
