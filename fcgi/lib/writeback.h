/*
 * writeback: a file that is written goes to its disk while it grows.
 *
 * A sync waits for all that the kernel still holds of a file, and nothing ends that wait: neither a cancelled job nor
 * a watchdog nor SIGKILL. So whoever writes something large keeps that amount small. The sync at the end is still what
 * makes the file durable. Callers: export/part, responder/upload.
 */
#ifndef CONSIGN_LIB_WRITEBACK_H
#define CONSIGN_LIB_WRITEBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* At most about twice as much of a file waits for its disk. */
#define WRITEBACK_WINDOW (INT64_C(1) << 20)

/* One file that is written from its first byte on. Zero it. */
struct writeback {
    int64_t written; /* bytes */
    int64_t begun;   /* of which so many are at the disk or on their way */
};

/* Notes that `bytes` more have been written to the file `fd`, and waits for the disk when it is behind. False, with
 * errno set: the disk refused what it was given. The file is then lost: a sync after that may succeed without it. */
bool writeback_note(struct writeback *w, int fd, size_t bytes) __attribute__((warn_unused_result));

#endif
