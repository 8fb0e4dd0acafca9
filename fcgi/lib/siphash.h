/*
 * siphash: a keyed hash of bytes for tables whose keys outsiders choose.
 *
 * SipHash-1-3 (Aumasson, Bernstein 2012; the reduced rounds that language run-times use for their
 * tables). Not for signatures or passwords. Callers: jscan's duplicate check, profile/merge.
 *
 * SECURITY: the key is drawn from the kernel. With a known key, a client could send member names
 * that all fall into one chain and make a wide object cost quadratic time.
 */
#ifndef CONSIGN_LIB_SIPHASH_H
#define CONSIGN_LIB_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
    uint64_t half[2];
};

/* A hash in the making: bytes may come in pieces, the result depends on their sequence only. */
struct siphash {
    uint64_t v[4];
    uint64_t word;  /* bytes not yet mixed in, the first in the lowest place */
    uint64_t total; /* bytes given so far */
};

/* Fills the key from the kernel's random source; ends the process if there is none. */
void siphash_draw_key(struct siphash_key *key);

void siphash_begin(struct siphash *hash, const struct siphash_key *key);
void siphash_add(struct siphash *hash, const char *bytes, size_t length);
uint64_t siphash_end(struct siphash *hash);

#endif
