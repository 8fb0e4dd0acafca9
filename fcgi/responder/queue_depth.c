/*
 * queue_depth: how many connections wait in the pool's socket. See queue_depth.h.
 */
#include "responder/queue_depth.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Asks for the one socket of that inode. */
static bool queue_depth_ask(int diag, unsigned inode)
{
    struct {
        struct nlmsghdr head;
        struct unix_diag_req ask;
    } message = {.head = {.nlmsg_len = sizeof message, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST},
                 .ask = {.sdiag_family = AF_UNIX, .udiag_states = ~0u, .udiag_ino = inode, .udiag_show = UDIAG_SHOW_RQLEN,
                         .udiag_cookie = {~0u, ~0u}}};
    return send(diag, &message, sizeof message, 0) == (ssize_t)sizeof message;
}

/* The answer; an error of the kernel has another type. */
static bool queue_depth_hear(int diag, struct unix_diag_rqlen *out)
{
    union {
        struct nlmsghdr head;
        char bytes[1024];
    } answer;
    /* a netlink answer is there when send() returns */
    ssize_t got = recv(diag, &answer, sizeof answer, MSG_DONTWAIT);
    if (got < (ssize_t)NLMSG_LENGTH(sizeof(struct unix_diag_msg)) || answer.head.nlmsg_type != SOCK_DIAG_BY_FAMILY ||
        answer.head.nlmsg_len > (size_t)got)
        return false;
    int left = (int)answer.head.nlmsg_len - (int)NLMSG_LENGTH(sizeof(struct unix_diag_msg));
    const char *at = answer.bytes + NLMSG_LENGTH(sizeof(struct unix_diag_msg));
    struct rtattr attribute;
    while (left >= (int)sizeof attribute) {
        memcpy(&attribute, at, sizeof attribute);
        if (attribute.rta_len < sizeof attribute || attribute.rta_len > left)
            return false;
        if (attribute.rta_type == UNIX_DIAG_RQLEN && attribute.rta_len >= RTA_LENGTH(sizeof *out)) {
            memcpy(out, at + RTA_LENGTH(0), sizeof *out);
            return true;
        }
        left -= (int)RTA_ALIGN(attribute.rta_len);
        at += RTA_ALIGN(attribute.rta_len);
    }
    return false;
}

bool queue_depth_read(int listen_fd, int *waiting, int *most)
{
    struct stat info;
    struct unix_diag_rqlen length;
    *waiting = *most = -1;
    if (fstat(listen_fd, &info) != 0)
        return false;
    int diag = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (diag < 0)
        return false;
    bool good = queue_depth_ask(diag, (unsigned)info.st_ino) && queue_depth_hear(diag, &length);
    close(diag);
    if (good) { /* of a listening socket: those that wait, and the backlog */
        *waiting = (int)length.udiag_rqueue;
        *most = (int)length.udiag_wqueue;
    }
    return good;
}
