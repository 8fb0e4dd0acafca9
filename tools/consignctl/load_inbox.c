/*
 * load_inbox: puts a piece of a file into the inbox. See load_inbox.h.
 */
#include "consignctl/load_inbox.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "consignctl/ctl.h"
#include "core/inbox.h"
#include "lib/conf.h"

#define INBOX_COPY_BYTES (256 * 1024)

static _Noreturn void inbox_fail(const char *path)
{
    ctl_fail("%s: %s", path, strerror(errno));
}

static void inbox_sync_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        inbox_fail(path);
    close(fd);
}

/* Gives what root made to whom the inbox belongs; anybody else makes what is their own. A directory of root's that is
 * there already was made by a run that was killed before it gave it away: nobody else can use it until that is done. */
static void inbox_give(int fd, const struct stat *inbox, const char *path)
{
    struct stat made;
    if (geteuid() == 0 && (fstat(fd, &made) != 0 || (made.st_uid == 0 && fchown(fd, inbox->st_uid, inbox->st_gid) != 0)))
        inbox_fail(path);
}

static void inbox_make_directory(const char *path, const struct stat *inbox)
{
    if (mkdir(path, 0750) != 0 && errno != EEXIST)
        inbox_fail(path);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        inbox_fail(path);
    inbox_give(fd, inbox, path);
    close(fd);
}

/* The directories from the inbox down to the batch's, each synced into its parent. */
static void inbox_make_directories(const char *root, const char *directory, const struct stat *inbox)
{
    char step[INBOX_PATH_MAX], parent[INBOX_PATH_MAX];
    size_t at = strlen(root);
    memcpy(parent, root, at + 1);
    while (directory[at] != '\0') {
        size_t end = at + 1 + strcspn(directory + at + 1, "/");
        memcpy(step, directory, end);
        step[end] = '\0';
        inbox_make_directory(step, inbox);
        inbox_sync_directory(parent);
        memcpy(parent, step, end + 1);
        at = end;
    }
}

static void inbox_write(int fd, const char *bytes, size_t length, const char *path)
{
    while (length > 0) {
        ssize_t n = write(fd, bytes, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            int error = errno;
            unlink(path);
            ctl_fail("%s: %s", path, strerror(error));
        }
        bytes += n;
        length -= (size_t)n;
    }
}

void load_inbox_put(const struct load_piece *piece, int org, int sandbox, const char *batch,
                    char object[CRYPTO_UUID_TEXT])
{
    static char buffer[INBOX_COPY_BYTES];
    const char *root = conf_text(CONF_INBOX_DIR);
    char directory[INBOX_PATH_MAX], path[INBOX_PATH_MAX];
    struct stat inbox;
    crypto_uuid(object);
    if (inbox_batch_path(directory, root, org, sandbox, batch) != FAULT_NONE ||
        inbox_file_path(path, root, org, sandbox, batch, object) != FAULT_NONE)
        ctl_fail("the path of the inbox is too long");
    if (stat(root, &inbox) != 0)
        inbox_fail(root);
    inbox_make_directories(root, directory, &inbox);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0)
        inbox_fail(path);
    inbox_give(fd, &inbox, path);
    for (int64_t done = 0; done < piece->bytes; done += INBOX_COPY_BYTES) {
        int64_t length = piece->bytes - done < INBOX_COPY_BYTES ? piece->bytes - done : INBOX_COPY_BYTES;
        load_piece_read(piece, piece->begin + done, buffer, length);
        inbox_write(fd, buffer, (size_t)length, path);
    }
    if (fsync(fd) != 0 || close(fd) != 0)
        inbox_fail(path);
    inbox_sync_directory(directory);
}
