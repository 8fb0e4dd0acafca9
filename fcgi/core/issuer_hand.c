/*
 * issuer_hand: the last good key sets, from one program to the next. See issuer.h.
 *
 * A reload must not forget what a broken file no longer tells: every token of its issuer would be refused from then on. For each
 * issuer with a file and keys a line "NAME FILE LOADED_MS BYTES", and so many bytes of its key set; neither name nor file
 * holds a blank (issuers_line).
 */
#include "core/issuer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/log.h"

#define ISSUER_SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

/* The sets as a text of the caller's to free. NULL: no memory. */
static char *issuers_text(const struct issuers *list, size_t *length)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, length);
    for (int i = 0; out != NULL && i < list->count; i++) {
        const struct issuer *one = &list->issuer[i];
        const char *set = one->file == NULL || one->keys == NULL ? NULL : jwks_text(one->keys);
        if (set != NULL)
            fprintf(out, "%s %s %" PRId64 " %zu\n%s", one->name, one->file, one->loaded_ms, strlen(set), set);
    }
    bool good = out != NULL && !ferror(out);
    if (out != NULL && fclose(out) == 0 && good)
        return text;
    free(text);
    return NULL;
}

int issuers_hand_over(const struct issuers *list)
{
    size_t length = 0;
    char *text = issuers_text(list, &length);
    int fd = text == NULL ? -1 : memfd_create("key sets", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    bool whole = fd >= 0 && write(fd, text, length) == (ssize_t)length;
    free(text);
    /* SECURITY: a worker that is replaced now has it too, and must not be able to add a key */
    if (whole && fcntl(fd, F_ADD_SEALS, ISSUER_SEALS) == 0)
        return fd;
    log_event(LOG_ERROR, "key_sets", "what=hand_over reason=\"%s\"", strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* A set of the program before, if the issuer needs it.
 * SECURITY: of this very file only: another one is named to be rid of the keys of the one before. */
static void issuer_take(struct issuers *list, struct arena *a, const char *name, const char *file, int64_t loaded_ms,
                        const char *text, size_t length)
{
    const char *reason;
    for (int i = 0; i < list->count; i++) {
        struct issuer *one = &list->issuer[i];
        if (one->file == NULL || one->keys != NULL || strcmp(one->name, name) != 0 || strcmp(one->file, file) != 0)
            continue;
        if (jwks_read(a, name, text, length, &one->keys, &reason) != FAULT_NONE)
            continue;
        one->loaded_ms = loaded_ms;
        log_event(LOG_WARN, "key_set_kept", "issuer=%s keys=%d", log_quote(name), jwks_count(one->keys));
    }
}

void issuers_take_over(struct issuers *list, struct arena *a, int fd)
{
    int copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
    FILE *in = copy < 0 ? NULL : fdopen(copy, "r");
    char *line = NULL;
    size_t size = 0;
    if (in != NULL)
        rewind(in);
    while (in != NULL && getline(&line, &size, in) > 0) {
        char *rest = NULL, *name = strtok_r(line, " ", &rest), *file = strtok_r(NULL, " ", &rest);
        char *loaded = strtok_r(NULL, " ", &rest), *bytes = strtok_r(NULL, "\n", &rest);
        size_t length = bytes == NULL ? 0 : strtoul(bytes, NULL, 10);
        char *text = length == 0 || length > JWKS_TEXT_MAX ? NULL : arena_alloc(a, length + 1);
        if (text == NULL || fread(text, 1, length, in) != length)
            break;
        issuer_take(list, a, name, file, strtoll(loaded, NULL, 10), text, length);
        arena_reset(a);
    }
    free(line);
    if (in != NULL)
        fclose(in);
    issuers_stamp(list);
}
