/*
 * webhook: signatures and pauses. See webhook.h.
 */
#include "core/webhook.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/str.h"

#define WEBHOOK_PREFIX "whsec_"
#define WEBHOOK_VERSION "v1,"
#define WEBHOOK_PAUSE_FIRST_MS 2000
#define WEBHOOK_PAUSE_MOST_MS 3600000

void webhook_secret_write(const unsigned char secret[WEBHOOK_SECRET_BYTES], char out[WEBHOOK_SECRET_TEXT])
{
    memcpy(out, WEBHOOK_PREFIX, sizeof WEBHOOK_PREFIX - 1);
    crypto_base64(secret, WEBHOOK_SECRET_BYTES, out + sizeof WEBHOOK_PREFIX - 1);
}

enum fault webhook_sign(const unsigned char secret[WEBHOOK_SECRET_BYTES], const char *id, int64_t timestamp_s, const char *body,
                        char out[WEBHOOK_SIGNATURE_TEXT])
{
    unsigned char mac[CRYPTO_SHA256_BYTES];
    struct str signed_text = STR_INIT(WEBHOOK_BODY_MAX + 128);
    str_append_text(&signed_text, id);
    str_append_char(&signed_text, '.');
    str_append_int(&signed_text, timestamp_s);
    str_append_char(&signed_text, '.');
    str_append_text(&signed_text, body);
    bool whole = !signed_text.overflow;
    if (whole) {
        crypto_hmac_sha256(secret, WEBHOOK_SECRET_BYTES, signed_text.data, signed_text.length, mac);
        memcpy(out, WEBHOOK_VERSION, sizeof WEBHOOK_VERSION - 1);
        crypto_base64(mac, sizeof mac, out + sizeof WEBHOOK_VERSION - 1);
    }
    str_free(&signed_text);
    return whole ? FAULT_NONE : FAULT_MEMORY;
}

int64_t webhook_pause_ms(int attempts, uint32_t random)
{
    int64_t pause_ms = WEBHOOK_PAUSE_FIRST_MS;
    for (int i = 1; i < attempts && pause_ms < WEBHOOK_PAUSE_MOST_MS; i++)
        pause_ms *= 2;
    if (pause_ms > WEBHOOK_PAUSE_MOST_MS)
        pause_ms = WEBHOOK_PAUSE_MOST_MS;
    return pause_ms - random % (pause_ms / 2 + 1);
}
