/*
 * webhook: what is signed of an event and how, and when it is sent again.
 *
 * The convention is that of Standard Webhooks (standardwebhooks.com, specification 1.0): headers webhook-id,
 * webhook-timestamp (seconds) and webhook-signature, which holds one or more `v1,` with the base64 of the HMAC-SHA256 of
 * `id.timestamp.body`, blanks between. A secret is shown as `whsec_` with its base64. Pure. Callers: consignctl webhook
 * (secrets), the spooler's sender.
 */
#ifndef CONSIGN_CORE_WEBHOOK_H
#define CONSIGN_CORE_WEBHOOK_H

#include <stddef.h>
#include <stdint.h>

#include "lib/crypto.h"
#include "lib/fault.h"

#define WEBHOOK_SECRET_BYTES 32
#define WEBHOOK_SECRET_TEXT (6 + CRYPTO_BASE64_TEXT(WEBHOOK_SECRET_BYTES)) /* with terminator */
#define WEBHOOK_SIGNATURE_TEXT (3 + CRYPTO_BASE64_TEXT(CRYPTO_SHA256_BYTES))
#define WEBHOOK_BODY_MAX (1024u * 1024u) /* of an event; webhook_note() makes less */

/* The secret as its owner gets it. */
void webhook_secret_write(const unsigned char secret[WEBHOOK_SECRET_BYTES], char out[WEBHOOK_SECRET_TEXT]);

/* One signature of a body. FAULT_MEMORY: none, or the body is too long. */
enum fault webhook_sign(const unsigned char secret[WEBHOOK_SECRET_BYTES], const char *id, int64_t timestamp_s, const char *body,
                        char out[WEBHOOK_SIGNATURE_TEXT]) MUST_CHECK;

/* How long an event waits after so many attempts (from 1): twice as long each time, from 1 s to an hour, of which `random`
 * takes up to a half, so that what failed together does not come again together. */
int64_t webhook_pause_ms(int attempts, uint32_t random);

#endif
