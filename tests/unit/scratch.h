/*
 * scratch: a directory of a test's own, and what the code under test writes to stderr.
 *
 * For unit tests that need files or read the log. Everything here is static inline: one test
 * program has one scratch directory.
 */
#ifndef CONSIGN_UNIT_SCRATCH_H
#define CONSIGN_UNIT_SCRATCH_H

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCRATCH_PATH_MAX 512

static char scratch_directory[64];

/* A name inside the scratch directory, which is made when it is first asked for. */
static inline void scratch_path(char out[SCRATCH_PATH_MAX], const char *name)
{
    if (scratch_directory[0] == '\0') {
        strcpy(scratch_directory, "/tmp/consign-unit-XXXXXX");
        if (mkdtemp(scratch_directory) == NULL)
            abort();
    }
    snprintf(out, SCRATCH_PATH_MAX, "%s/%s", scratch_directory, name);
}

/* Writes a file anew with exactly this mode. */
static inline void scratch_write(const char *path, const char *bytes, size_t length, mode_t mode)
{
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, bytes, length) != (ssize_t)length || fchmod(fd, mode) != 0 || close(fd) != 0)
        abort();
}

/* Removes a directory with the files in it. */
static inline void scratch_remove(const char *directory)
{
    DIR *dir = opendir(directory);
    char path[SCRATCH_PATH_MAX];
    for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (snprintf(path, sizeof path, "%s/%s", directory, e->d_name) < (int)sizeof path && unlink(path) != 0)
            scratch_remove(path);
    }
    if (dir != NULL)
        closedir(dir);
    rmdir(directory);
}

/* For cmocka_run_group_tests as group teardown. */
static inline int scratch_end(void **state)
{
    (void)state;
    if (scratch_directory[0] != '\0')
        scratch_remove(scratch_directory);
    return 0;
}

/* From here to scratch_heard() stderr goes to a file. Returns what to hand back. */
static inline int scratch_listen(void)
{
    char path[SCRATCH_PATH_MAX];
    scratch_path(path, "stderr");
    int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (saved < 0 || fd < 0 || dup2(fd, STDERR_FILENO) < 0 || close(fd) != 0)
        abort();
    return saved;
}

/* Puts stderr back and returns the number of bytes written meanwhile; the first size - 1 are in out. */
static inline size_t scratch_heard(int saved, char *out, size_t size)
{
    ssize_t got = pread(STDERR_FILENO, out, size - 1, 0);
    struct stat info;
    if (got < 0 || fstat(STDERR_FILENO, &info) != 0 || dup2(saved, STDERR_FILENO) < 0 || close(saved) != 0)
        abort();
    out[got] = '\0';
    return (size_t)info.st_size;
}

#endif
