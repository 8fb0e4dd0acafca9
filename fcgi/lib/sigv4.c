/*
 * sigv4: AWS Signature Version 4. See sigv4.h.
 */
#include "lib/sigv4.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/crypto.h"

#define SIGV4_TEXT_MAX 8192 /* of the canonical request */
#define SIGV4_SIGNED "host;x-amz-content-sha256;x-amz-date"
#define SIGV4_TOKEN "x-amz-security-token"
#define SIGV4_DAY 8 /* digits of a date */

void sigv4_date(int64_t wall_ms, char out[SIGV4_DATE_MAX])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    if (strftime(out, SIGV4_DATE_MAX, "%Y%m%dT%H%M%SZ", &parts) == 0)
        out[0] = '\0';
}

/* The key of a day, region and service. False: the secret is too long. */
static bool sigv4_signing_key(const struct sigv4_key *key, const char *day, unsigned char out[CRYPTO_SHA256_BYTES])
{
    char first[4 + SIGV4_SECRET_MAX];
    const char *steps[] = {day, key->region, key->service, "aws4_request"};
    int length = snprintf(first, sizeof first, "AWS4%s", key->secret);
    bool good = length > 0 && length < (int)sizeof first;
    if (good)
        crypto_hmac_sha256(first, (size_t)length, steps[0], strlen(steps[0]), out);
    for (size_t i = 1; good && i < sizeof steps / sizeof *steps; i++)
        crypto_hmac_sha256(out, CRYPTO_SHA256_BYTES, steps[i], strlen(steps[i]), out);
    crypto_wipe(first, sizeof first);
    return good;
}

enum fault sigv4_authorization(const struct sigv4_key *key, const struct sigv4_request *r,
                               char out[SIGV4_AUTHORIZATION_MAX])
{
    char text[SIGV4_TEXT_MAX], day[SIGV4_DAY + 1], scope[128], digest[CRYPTO_SHA256_HEX];
    unsigned char signing[CRYPTO_SHA256_BYTES], signature[CRYPTO_SHA256_BYTES];
    const bool token = *r->token != '\0';
    const char *also = token ? ";" SIGV4_TOKEN : "";
    snprintf(day, sizeof day, "%.*s", SIGV4_DAY, r->date);
    int length = snprintf(text, sizeof text,
                          "%s\n%s\n%s\nhost:%s\nx-amz-content-sha256:%s\nx-amz-date:%s\n%s%s%s\n" SIGV4_SIGNED "%s\n%s",
                          r->method, r->path, r->query, r->host, r->body_sha256, r->date, token ? SIGV4_TOKEN ":" : "",
                          r->token, token ? "\n" : "", also, r->body_sha256);
    int scoped = snprintf(scope, sizeof scope, "%s/%s/%s/aws4_request", day, key->region, key->service);
    if (length < 0 || length >= (int)sizeof text || scoped < 0 || scoped >= (int)sizeof scope)
        return FAULT_INTERNAL;
    crypto_sha256_hex(text, (size_t)length, digest);
    length = snprintf(text, sizeof text, "AWS4-HMAC-SHA256\n%s\n%s\n%s", r->date, scope, digest);
    if (!sigv4_signing_key(key, day, signing))
        return FAULT_INTERNAL;
    crypto_hmac_sha256(signing, sizeof signing, text, (size_t)length, signature);
    crypto_wipe(signing, sizeof signing);
    crypto_hex(signature, sizeof signature, digest);
    length = snprintf(out, SIGV4_AUTHORIZATION_MAX,
                      "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=" SIGV4_SIGNED "%s, Signature=%s", key->access,
                      scope, also, digest);
    return length > 0 && length < SIGV4_AUTHORIZATION_MAX ? FAULT_NONE : FAULT_INTERNAL;
}
