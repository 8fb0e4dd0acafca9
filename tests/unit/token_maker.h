/*
 * token_maker: tokens of which a single thing is wrong. For the tests of core/token.
 *
 * The maker signs whatever header and payload it is given with the real key, so that a refusal is
 * never the signature's unless that is what the row is about. In header texts `KID` stands for the
 * key's id.
 */
#ifndef CONSIGN_TESTS_TOKEN_MAKER_H
#define CONSIGN_TESTS_TOKEN_MAKER_H

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/jws.h"
#include "core/right.h"
#include "core/token.h"
#include "lib/crypto.h"
#include "scratch.h"

#define N(array) (sizeof(array) / sizeof(array)[0])
#define NOW 1700000000

#define ISSUER "https://consign.example"
#define HEADER "{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"KID\"}"
#define EXP "\"exp\":1700000600"
#define WHO "\"iss\":\"" ISSUER "\",\"aud\":\"consign\""
#define CLIENT "\"client_id\":\"c1\""
#define PAYLOAD "{" WHO "," EXP "," CLIENT "}"
#define WITH(members) "{" WHO "," EXP "," CLIENT "," members "}"
#define C64 "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

static struct keys *ours, *others;
static struct issuers *issuers;
static struct arena *arena;
static struct token_claims claims;

/* A list of one issuer of our own. */
__attribute__((unused)) static struct issuers *list_of(const char *name, const char *audience, const struct keys *keys)
{
    struct issuers *list = issuers_new();
    if (list == NULL || issuers_add_own(list, arena, name, audience, keys_jwks(keys)) != FAULT_NONE)
        abort();
    return list;
}

__attribute__((unused)) static int set_up(void **state)
{
    char dir[SCRATCH_PATH_MAX];
    (void)state;
    int saved = scratch_listen();
    scratch_path(dir, "ours");
    bool good = keys_open(dir, &ours) == FAULT_NONE;
    scratch_path(dir, "others");
    good = keys_open(dir, &others) == FAULT_NONE && good;
    scratch_heard(saved, (char[1]){0}, 1);
    arena = arena_new(1024 * 1024);
    if (!good || arena == NULL)
        return 1;
    issuers = list_of(ISSUER, "consign", ours);
    return 0;
}

__attribute__((unused)) static int tear_down(void **state)
{
    issuers_free(issuers);
    arena_free(arena);
    keys_free(ours);
    keys_free(others);
    return scratch_end(state);
}

/* base64url of a text in which `KID` is replaced. Like all texts here it lives in the arena. */
__attribute__((unused)) static char *encode(const char *text, const struct keys *keys)
{
    const char *kid = strstr(text, "KID");
    const char *whole = kid == NULL ? text
                                    : arena_printf(arena, "%.*s%s%s", (int)(kid - text), text, keys_id(keys), kid + 3);
    size_t length = strlen(whole);
    char *out = arena_alloc(arena, (length * 4 + 2) / 3 + 1);
    crypto_base64url((const unsigned char *)whole, length, out);
    return out;
}

__attribute__((unused)) static char *sign(const char *covered, const struct keys *keys)
{
    unsigned char signature[KEYS_SIGNATURE_MAX];
    size_t length = sizeof signature;
    char *out = arena_alloc(arena, KEYS_SIGNATURE_MAX * 2);
    assert_int_equal(keys_sign(keys, covered, strlen(covered), signature, &length), FAULT_NONE);
    crypto_base64url(signature, length, out);
    return out;
}

__attribute__((unused)) static const char *make(const char *header, const char *payload)
{
    const char *covered = arena_printf(arena, "%s.%s", encode(header, ours), encode(payload, ours));
    return arena_printf(arena, "%s.%s", covered, sign(covered, ours));
}

/* The reason of the refusal, NULL when the token is good. The text is verified in a block of its
 * exact size, so that ASan sees whoever reads on. */
__attribute__((unused)) static const char *verify_at(const char *text, size_t length, int64_t now_s)
{
    const char *reason = NULL;
    char *exact = malloc(length > 0 ? length : 1);
    memcpy(exact, text, length);
    bool good = token_verify(issuers, arena, exact, length, now_s, &claims, &reason);
    free(exact);
    if (!good)
        assert_non_null(reason);
    return good ? NULL : reason;
}

__attribute__((unused)) static const char *verify(const char *text)
{
    return verify_at(text, strlen(text), NOW);
}

__attribute__((unused)) static void assert_reason(size_t row, const char *token, const char *wanted)
{
    const char *got = verify(token);
    if (wanted == NULL ? got != NULL : got == NULL || strcmp(got, wanted) != 0)
        fail_msg("row %zu: %s, not %s", row, got == NULL ? "accepted" : got, wanted == NULL ? "accepted" : wanted);
}

__attribute__((unused)) static enum fault issue(const char *client, const char *scope, const char **out)
{
    return token_issue(ours, &issuers->issuer[0], arena, client, scope, NOW, 3600, out);
}

#endif
