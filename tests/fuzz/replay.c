/*
 * replay: runs a fuzz target over the files of its corpus, without libFuzzer. Run by make check.
 *
 * Usage: NAME DIRECTORY. Each file is given in a block of its exact size, so that a sanitizer build
 * sees whoever reads on. Every file is a child of its own: one that ends it is counted and named,
 * and the others still run.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

#define REPLAY_PATH_MAX 1024

static void replay_file(const char *path)
{
    struct stat info;
    FILE *file = fopen(path, "re");
    INVARIANT(file != NULL && fstat(fileno(file), &info) == 0);
    size_t size = (size_t)info.st_size;
    uint8_t *bytes = malloc(size > 0 ? size : 1);
    INVARIANT(bytes != NULL && fread(bytes, 1, size, file) == size);
    fclose(file);
    LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
}

/* The files [first, end) in this process; a child that ends early leaves them unfinished. */
static bool replay_child(const char *const *path, size_t first, size_t end, size_t *done)
{
    int channel[2];
    INVARIANT(pipe(channel) == 0);
    pid_t child = fork();
    INVARIANT(child >= 0);
    if (child == 0) {
        close(channel[0]);
        for (size_t i = first; i < end; i++) {
            replay_file(path[i]);
            INVARIANT(write(channel[1], ".", 1) == 1);
        }
        exit(0); /* not _exit: the leak check runs at the end */
    }
    close(channel[1]);
    char dot;
    for (*done = 0; read(channel[0], &dot, 1) == 1;)
        ++*done;
    close(channel[0]);
    int status = 0;
    INVARIANT(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int replay_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    struct dirent **entry = NULL;
    const char *directory = argc == 2 ? argv[1] : "";
    int count = scandir(directory, &entry, replay_visible, alphasort);
    if (count <= 0) {
        fprintf(stderr, "usage: %s DIRECTORY (with files)\n", argv[0]);
        return 2;
    }
    size_t files = (size_t)count, failed = 0, done = 0;
    const char **path = calloc(files, sizeof *path);
    INVARIANT(path != NULL);
    for (size_t i = 0; i < files; i++) {
        char *text = malloc(REPLAY_PATH_MAX);
        INVARIANT(text != NULL && snprintf(text, REPLAY_PATH_MAX, "%s/%s", directory, entry[i]->d_name) < REPLAY_PATH_MAX);
        path[i] = text;
        free(entry[i]);
    }
    free(entry);
    for (size_t first = 0; first < files; first += done) {
        if (replay_child(path, first, files, &done) && first + done == files)
            break;
        failed++;
        if (first + done == files) {
            fprintf(stderr, "failed after the last file (a leak?)\n");
            break;
        }
        fprintf(stderr, "failed: %s\n", path[first + done++]);
    }
    for (size_t i = 0; i < files; i++)
        free((void *)(uintptr_t)path[i]);
    free(path);
    printf("%zu passed, %zu failed\n", files - (failed < files ? failed : files), failed);
    return failed > 0;
}
