/*
 * issuer: who may issue tokens, and their keys. See issuer.h.
 */
#include "core/issuer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"

struct issuers *issuers_new(void)
{
    return calloc(1, sizeof(struct issuers));
}

void issuers_free(struct issuers *list)
{
    if (list == NULL)
        return;
    for (int i = 0; i < list->count; i++) {
        struct issuer *one = &list->issuer[i];
        free((char *)one->name);
        free((char *)one->audience);
        free((char *)one->file);
        jwks_free(one->keys);
    }
    free(list);
}

const struct issuer *issuers_find(const struct issuers *list, const char *name)
{
    for (int i = 0; i < list->count; i++) {
        if (strcmp(list->issuer[i].name, name) == 0)
            return &list->issuer[i];
    }
    return NULL;
}

/* A digest over the digests of all key sets. */
void issuers_stamp(struct issuers *list)
{
    unsigned char all[ISSUERS_MAX * CRYPTO_SHA256_BYTES] = {0};
    for (int i = 0; i < list->count; i++) {
        if (list->issuer[i].keys != NULL)
            memcpy(all + i * CRYPTO_SHA256_BYTES, jwks_digest(list->issuer[i].keys), CRYPTO_SHA256_BYTES);
    }
    crypto_sha256(all, sizeof all, list->generation);
}

/* Reads the file, at most JWKS_TEXT_MAX bytes. FAULT_MALFORMED: as it is now it cannot be a key set;
 * another fault: it could not be read at this moment. *reason says why. */
static enum fault issuer_read_text(const struct issuer *one, struct arena *a, char **text, size_t *length,
                                   const char **reason)
{
    struct stat info;
    int fd = one->file == NULL ? -1 : open(one->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    *reason = "it cannot be opened";
    if (fd < 0)
        return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? FAULT_MEMORY : FAULT_MALFORMED;
    bool fits = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0 && info.st_size <= JWKS_TEXT_MAX;
    *length = fits ? (size_t)info.st_size : 0;
    *text = fits ? arena_alloc(a, *length + 1) : NULL;
    ssize_t got = *text == NULL ? -1 : pread(fd, *text, *length + 1, 0);
    close(fd);
    *reason = !fits ? "it is empty, too large, or no file" : *text == NULL ? "no memory" : "it changed while it was read";
    if (!fits)
        return FAULT_MALFORMED;
    return got == info.st_size ? FAULT_NONE : FAULT_MEMORY;
}

/* What tells one content of a file from another without reading it. The time is that of the last change
 * of the inode: nobody can set it, and it changes when a file becomes readable. */
static void issuer_look(const struct issuer *one, uint64_t seen[4])
{
    struct stat info;
    memset(seen, 0, 4 * sizeof *seen);
    if (one->file == NULL || stat(one->file, &info) != 0)
        return;
    seen[0] = (uint64_t)info.st_ctim.tv_sec * 1000000000u + (uint64_t)info.st_ctim.tv_nsec;
    seen[1] = (uint64_t)info.st_size + 1;
    seen[2] = (uint64_t)info.st_ino;
    seen[3] = (uint64_t)info.st_dev;
}

/* Reads the file and takes its keys, or keeps the last good ones. */
static void issuer_load(struct issuer *one, struct arena *a)
{
    size_t length = 0;
    const char *reason;
    char *text = NULL;
    struct jwks *keys = NULL;
    enum fault fault = issuer_read_text(one, a, &text, &length, &reason);
    if (fault == FAULT_NONE)
        fault = jwks_read(a, one->name, text, length, &keys, &reason);
    if (fault != FAULT_NONE) {
        if (fault != FAULT_MALFORMED) /* not the file's fault: it is read again at the next look */
            memset(one->seen, 0xff, sizeof one->seen);
        one->refused = true;
        log_event(LOG_ERROR, "key_set_refused", "issuer=%s file=%s reason=\"%s\" kept=%d", log_quote(one->name),
                  log_quote(one->file), reason, one->keys == NULL ? 0 : jwks_count(one->keys));
        return;
    }
    jwks_free(one->keys);
    one->keys = keys;
    one->refused = false;
    one->loaded_ms = clock_wall_ms();
    log_event(LOG_INFO, "key_set", "issuer=%s keys=%d", log_quote(one->name), jwks_count(keys));
}

void issuers_refresh(struct issuers *list, struct arena *a)
{
    int64_t now = clock_monotonic_ms();
    if (list->looked_ms != 0 && now - list->looked_ms < ISSUER_LOOK_MS)
        return;
    list->looked_ms = now;
    bool changed = false;
    for (int i = 0; i < list->count; i++) {
        struct issuer *one = &list->issuer[i];
        uint64_t seen[4];
        if (one->file == NULL)
            continue;
        issuer_look(one, seen); /* before it is read: a change after this is a change */
        if (memcmp(seen, one->seen, sizeof seen) == 0)
            continue;
        memcpy(one->seen, seen, sizeof seen);
        issuer_load(one, a);
        changed = true;
    }
    if (changed)
        issuers_stamp(list);
}

/* The next free place of the list, filled in. NULL: the name is taken, the list full, or no memory. */
static struct issuer *issuers_place(struct issuers *list, const char *name, enum issuer_profile profile,
                                    const char *audience, const char *file)
{
    if (list->count == ISSUERS_MAX || issuers_find(list, name) != NULL)
        return NULL;
    struct issuer *one = &list->issuer[list->count];
    *one = (struct issuer){.name = strdup(name),
                           .profile = profile,
                           .audience = audience == NULL ? NULL : strdup(audience),
                           .file = file == NULL ? NULL : strdup(file)};
    if (one->name == NULL || (audience != NULL && one->audience == NULL) || (file != NULL && one->file == NULL))
        return NULL;
    list->count++;
    return one;
}

enum fault issuers_add_own(struct issuers *list, struct arena *a, const char *name, const char *audience,
                           const char *jwks)
{
    const char *reason;
    struct issuer *one = issuers_place(list, name, ISSUER_RFC9068, audience, NULL);
    if (one == NULL)
        return FAULT_MEMORY;
    enum fault fault = jwks_read(a, name, jwks, strlen(jwks), &one->keys, &reason);
    one->loaded_ms = clock_wall_ms();
    issuers_stamp(list);
    return fault == FAULT_NONE ? FAULT_NONE : FAULT_INTERNAL;
}

enum fault issuers_add(struct issuers *list, struct arena *a, const char *name, enum issuer_profile profile,
                       const char *audience, const char *file)
{
    struct issuer *one = issuers_place(list, name, profile, audience, file);
    if (one == NULL)
        return FAULT_MALFORMED;
    issuer_look(one, one->seen);
    issuer_load(one, a);
    issuers_stamp(list);
    return FAULT_NONE;
}

/* One line of the settings file, already without its end. */
static enum fault issuers_line(struct issuers *list, struct arena *a, char *line)
{
    char *rest = NULL, *word[5];
    int words = 0;
    for (char *w = strtok_r(line, " \t\r\n", &rest); w != NULL && words < 5; w = strtok_r(NULL, " \t\r\n", &rest))
        word[words++] = w;
    if (words == 0 || word[0][0] == '#')
        return FAULT_NONE;
    if (words != 4)
        return FAULT_MALFORMED;
    bool ims = strcmp(word[1], "ims") == 0;
    bool any = strcmp(word[2], "-") == 0;
    if ((!ims && strcmp(word[1], "rfc9068") != 0) || (any && !ims) || word[3][0] != '/')
        return FAULT_MALFORMED;
    return issuers_add(list, a, word[0], ims ? ISSUER_IMS : ISSUER_RFC9068, any ? NULL : word[2], word[3]);
}

enum fault issuers_read(struct issuers *list, struct arena *a, const char *path)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t size = 0;
    int number = 0;
    enum fault fault = file == NULL ? FAULT_MALFORMED : FAULT_NONE;
    while (fault == FAULT_NONE && getline(&line, &size, file) >= 0) {
        number++;
        fault = issuers_line(list, a, line);
        arena_reset(a);
    }
    if (fault == FAULT_NONE && ferror(file))
        fault = FAULT_MALFORMED;
    if (fault != FAULT_NONE)
        log_event(LOG_ERROR, "issuers", "file=%s line=%d reason=\"expected: NAME rfc9068|ims AUDIENCE /FILE, each name once\"",
                  log_quote(path), number);
    free(line);
    if (file != NULL)
        fclose(file);
    return fault;
}
