/*
 * sigv4: the header Authorization of a request to a service that speaks AWS Signature Version 4 ("Authenticating
 * Requests: Using the Authorization Header", Amazon S3 API Reference). Pure.
 *
 * Requests of our own are signed by libcurl (lib/http). This is for those that nginx makes for us: the pool signs, nginx
 * sends. Signed are host, x-amz-content-sha256, x-amz-date and, when there is one, x-amz-security-token, so other headers
 * (Range) may be added. Caller: core/object_store.
 */
#ifndef CONSIGN_LIB_SIGV4_H
#define CONSIGN_LIB_SIGV4_H

#include <stddef.h>
#include <stdint.h>

#include "lib/fault.h"

#define SIGV4_DATE_MAX 17 /* "20130524T000000Z", with terminator */
#define SIGV4_AUTHORIZATION_MAX 512
#define SIGV4_SECRET_MAX 129 /* of a key or secret, with terminator */
#define SIGV4_TOKEN_MAX 2049 /* of a session's token, with terminator */
#define SIGV4_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" /* SHA-256 of no body */

struct sigv4_key {
    const char *access;
    const char *secret;
    const char *region;
    const char *service; /* "s3" */
};

struct sigv4_request {
    const char *method;
    const char *host;  /* as the header Host has it */
    const char *path;  /* absolute, percent-encoded where it must be */
    const char *query; /* names and values in order, percent-encoded, each with its '='; "" for none */
    const char *body_sha256;
    const char *date; /* of sigv4_date() */
    const char *token; /* x-amz-security-token, which temporary credentials have; "" for none */
};

/* The time in the form of x-amz-date. */
void sigv4_date(int64_t wall_ms, char out[SIGV4_DATE_MAX]);

/* FAULT_INTERNAL: something is too long. */
enum fault sigv4_authorization(const struct sigv4_key *key, const struct sigv4_request *request,
                               char out[SIGV4_AUTHORIZATION_MAX]) MUST_CHECK;

#endif
