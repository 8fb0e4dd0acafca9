/*
 * client_part: one file of a batch on this machine: NAME when it is whole, NAME.partial before. Callers: client_download,
 * client_transfer.
 *
 * What cannot be done on this machine (no space, no right) ends the program; the partial file stays.
 */
#ifndef CONSIGN_TOOLS_CLIENT_PART_H
#define CONSIGN_TOOLS_CLIENT_PART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/crypto.h"

#define CLIENT_PART_PATH_MAX 256

struct client_part {
    const char *name;  /* checked: client_text_is_file_name() */
    const char *batch;
    char path[CLIENT_PART_PATH_MAX]; /* of the request; "" until the service has named the file */
    int64_t bytes;     /* that it has, by the manifest */
    char sha256[CRYPTO_SHA256_HEX];
    int folder;        /* open, where it belongs; the caller's */
    int fd;            /* of NAME.partial while it is written, else -1 */
    int64_t done;      /* bytes of it that are there */
    int64_t resumed;   /* of these, what an earlier run left */
    bool whole, old;   /* NAME is there; it was before */
    struct client_part *next; /* of those that are brought together */
    struct crypto_digest *digest; /* of the bytes that are there, while it is written */
};

/* Whether NAME is there with the bytes of the manifest; notes it. */
bool client_part_look(struct client_part *part);

/* Opens NAME.partial, or makes it, and reads what is in it. */
void client_part_open(struct client_part *part);

/* Appends bytes, which must fit. */
void client_part_add(struct client_part *part, const void *bytes, size_t length);

/* Throws away what is there. */
void client_part_restart(struct client_part *part);

/* All bytes are there: if they are those of the manifest they are synced and get their name. False: they are others, and
 * the partial file is removed. */
bool client_part_finish(struct client_part *part);

/* Removes the partial file. */
void client_part_remove(struct client_part *part);

/* Writes a small file under another name, syncs it and gives it `name`. */
void client_part_put(int folder, const char *name, const char *bytes, size_t length);

#endif
