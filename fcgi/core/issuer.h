/*
 * issuer: who may issue tokens, and their keys.
 *
 * Our own token endpoint is one, with its key in memory. Others stand in the file named by the setting
 * token.issuers, one a line:
 *
 *   NAME PROFILE AUDIENCE FILE
 *
 * NAME is what a token's `iss` (profile ims: `iss`, or `as` when it has none) must be, PROFILE is
 * rfc9068 or ims, AUDIENCE what `aud` must hold (`-` in profile ims: not looked at), FILE the issuer's
 * JSON Web Key Set. Lines that begin with # are comments.
 *
 * A key set is read again when its file changes, within ISSUER_LOOK_MS. A file that is missing, empty,
 * too large or broken changes nothing: the last good set stays, and the log says so once a change. The supervisor
 * looks too, so that a worker that is replaced begins with the last good sets; a program that follows it in a reload is
 * handed them (issuer_hand.c).
 */
#ifndef CONSIGN_CORE_ISSUER_H
#define CONSIGN_CORE_ISSUER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/jwks.h"
#include "lib/arena.h"
#include "lib/crypto.h"
#include "lib/fault.h"

#define ISSUER_LOOK_MS 5000 /* contract.md section 2 allows 60 s */
#define ISSUERS_MAX 16

enum issuer_profile {
    ISSUER_RFC9068, /* access tokens of RFC 9068 */
    ISSUER_IMS      /* the reference product's identity service */
};

struct issuer {
    const char *name;
    enum issuer_profile profile;
    const char *audience; /* NULL: not looked at */
    const char *file;     /* NULL: our own, which does not change */
    struct jwks *keys;    /* NULL: none were ever read */
    int64_t loaded_ms;    /* wall time of the last good reading */
    bool refused;         /* the file as it is now was refused */
    uint64_t seen[4];     /* what the file looked like when it was last read */
};

struct issuers {
    int count;
    struct issuer issuer[ISSUERS_MAX];
    int64_t looked_ms;
    unsigned char generation[CRYPTO_SHA256_BYTES]; /* changes whenever any key set does */
};

/* Works out the generation anew; for issuer*.c. */
void issuers_stamp(struct issuers *list);

/* An empty list. NULL: no memory. */
struct issuers *issuers_new(void);
void issuers_free(struct issuers *list);

/* Adds our own issuer. Texts are copied. `a` is working memory. */
enum fault issuers_add_own(struct issuers *list, struct arena *a, const char *name, const char *audience,
                           const char *jwks) MUST_CHECK;

/* Adds an issuer by its file, and reads that file; a file that is no good is no fault, see above. */
enum fault issuers_add(struct issuers *list, struct arena *a, const char *name, enum issuer_profile profile,
                       const char *audience, const char *file) MUST_CHECK;

/* Adds those of the settings file. FAULT_MALFORMED, logged, when a line is not as described. */
enum fault issuers_read(struct issuers *list, struct arena *a, const char *path) MUST_CHECK;

/* Reads changed key sets again; looks at most once in ISSUER_LOOK_MS. */
void issuers_refresh(struct issuers *list, struct arena *a);

/* The good sets of all files, for the program that follows in this process: a file in memory that nobody can change any more, a
 * worker neither. The caller owns it. -1, logged: it could not be made. */
int issuers_hand_over(const struct issuers *list);

/* Gives the issuers whose files have been no good so far the sets that the program before read of the same file; fd is what
 * issuers_hand_over() made, or -1. `a` is working memory. */
void issuers_take_over(struct issuers *list, struct arena *a, int fd);

/* The issuer of that name, or NULL. */
const struct issuer *issuers_find(const struct issuers *list, const char *name);

#endif
