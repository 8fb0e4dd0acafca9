/*
 * secret_file: see secret_file.h.
 */
#include "lib/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What speaks against the file that was opened; NULL: nothing. */
static const char *secret_refusal(int fd, long most)
{
    struct stat info;
    if (fstat(fd, &info) != 0)
        return strerror(errno);
    if (!S_ISREG(info.st_mode) || info.st_size > most)
        return "not a file, or too large";
    return (info.st_mode & 077) != 0 ? "others may read it; mode 0600 is required" : NULL;
}

FILE *secret_file_open(const char *path, long most, const char **reason)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK); /* a FIFO must not hold the start */
    *reason = fd < 0 ? strerror(errno) : secret_refusal(fd, most);
    FILE *file = *reason == NULL ? fdopen(fd, "r") : NULL;
    if (*reason == NULL && file == NULL)
        *reason = strerror(errno);
    if (file == NULL && fd >= 0)
        close(fd);
    return file;
}
