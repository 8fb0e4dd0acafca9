/*
 * signers: keys of every kind, and issuers that publish them. For fuzz_token.
 *
 * Our own issuer has the RSA key ("rsa"); another of profile rfc9068 has the P-256 key ("ec") and the Ed25519
 * key ("ed"); one of profile ims has the Ed25519 key again.
 */
#ifndef CONSIGN_FUZZ_SIGNERS_H
#define CONSIGN_FUZZ_SIGNERS_H

#include <stddef.h>

#include "core/issuer.h"
#include "lib/arena.h"

#define SIGNERS_OWN "https://own.example"
#define SIGNERS_OTHER "https://other.example"
#define SIGNERS_IMS "ims-na1"
#define SIGNERS_AUDIENCE "consign"
#define SIGNER_SIGNATURE_MAX 512

enum signer { SIGNER_RSA, SIGNER_EC, SIGNER_ED, SIGNERS };

/* Makes the keys and adds the issuers. Ends the process when it cannot. `a` is working memory. */
void signers_start(struct issuers *issuers, struct arena *a);

/* Signs as JWS has it (RFC 7518 section 3, RFC 8037 section 3.1). Returns the signature's length. */
size_t signer_sign(enum signer signer, const char *text, size_t length, unsigned char signature[SIGNER_SIGNATURE_MAX]);

#endif
