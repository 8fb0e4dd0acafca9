/*
 * writeback: a file that is written goes to its disk while it grows. See writeback.h.
 */
#include "lib/writeback.h"

#include <errno.h>
#include <fcntl.h>

#define WRITEBACK_WAIT (SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER)

static bool writeback_range(int fd, int64_t from, unsigned how)
{
    return sync_file_range(fd, from, WRITEBACK_WINDOW, how) == 0 || errno == ENOSYS;
}

bool writeback_note(struct writeback *w, int fd, size_t bytes)
{
    w->written += (int64_t)bytes;
    while (w->written - w->begun >= WRITEBACK_WINDOW) {
        /* begun before the older one is waited for, so that the disk always has something to do */
        if (!writeback_range(fd, w->begun, SYNC_FILE_RANGE_WRITE))
            return false;
        if (w->begun > 0 && !writeback_range(fd, w->begun - WRITEBACK_WINDOW, WRITEBACK_WAIT))
            return false;
        w->begun += WRITEBACK_WINDOW;
    }
    return true;
}
