/*
 * jwsverify: the product's token verification as a program, for vectors and for a look by hand.
 *
 *   jwsverify --jwks FILE [--profile rfc9068|ims|none] [--issuer I] [--audience A] [--now T] < token
 *
 * exit 0 and the payload; 1 and the reason. One line feed after the token is taken off. The profile
 * (default rfc9068) says which claims are looked at; none checks the signature alone, and takes the only
 * key of a set for a header that names none. Without --issuer or --audience any will do; --now is in seconds
 * since 1970, by default the time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/jws.h"
#include "core/token.h"
#include "lib/clock.h"

#define ARENA_BYTES (4u * 1024u * 1024u)

struct verify_options {
    const char *jwks, *profile, *issuer, *audience;
    int64_t now_s;
};

static int verify_refuse(const char *reason)
{
    printf("refused: %s\n", reason);
    return 1;
}

static bool verify_read_options(int argc, char **argv, struct verify_options *o)
{
    *o = (struct verify_options){.profile = "rfc9068", .now_s = clock_wall_ms() / 1000};
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--jwks") == 0)
            o->jwks = argv[i + 1];
        else if (strcmp(argv[i], "--profile") == 0)
            o->profile = argv[i + 1];
        else if (strcmp(argv[i], "--issuer") == 0)
            o->issuer = argv[i + 1];
        else if (strcmp(argv[i], "--audience") == 0)
            o->audience = argv[i + 1];
        else if (strcmp(argv[i], "--now") == 0)
            o->now_s = strtoll(argv[i + 1], NULL, 10);
        else
            return false;
    }
    bool known = strcmp(o->profile, "rfc9068") == 0 || strcmp(o->profile, "ims") == 0 || strcmp(o->profile, "none") == 0;
    return argc % 2 == 1 && o->jwks != NULL && known;
}

/* The whole of a stream, at most `most` bytes and one more. */
static char *verify_read(FILE *file, struct arena *a, size_t most, size_t *length)
{
    char *text = arena_alloc(a, most + 2);
    *length = text == NULL || file == NULL ? 0 : fread(text, 1, most + 1, file);
    return text;
}

static int verify_claims(const struct verify_options *o, struct arena *a, const struct jws *jws)
{
    struct json_object *payload = NULL;
    struct jsonio_refusal broken;
    struct token_claims claims;
    const char *reason;
    struct jscan_limits limits = {.depth = 16, .bytes = JWS_TEXT_MAX};
    enum issuer_profile profile = strcmp(o->profile, "ims") == 0 ? ISSUER_IMS : ISSUER_RFC9068;
    if (jsonio_parse(a, jws->payload, jws->payload_length, limits, &payload, &broken) != FAULT_NONE ||
        !json_object_is_type(payload, json_type_object))
        return verify_refuse("form");
    if (!token_read_claims(jws->header, payload, profile, o->issuer, o->audience, o->now_s, &claims, &reason))
        return verify_refuse(reason);
    return 0;
}

static int verify_token(const struct verify_options *o, struct arena *a, const struct jwks *keys)
{
    size_t length;
    struct jws jws;
    const char *reason;
    bool bare = strcmp(o->profile, "none") == 0;
    char *text = verify_read(stdin, a, JWS_TEXT_MAX + 1, &length);
    if (length > 0 && text[length - 1] == '\n')
        length--;
    if (!jws_split(a, text, length, &jws))
        return verify_refuse("form");
    if (!jws_verify(&jws, keys, !bare, &reason))
        return verify_refuse(reason);
    int status = bare ? 0 : verify_claims(o, a, &jws);
    if (status == 0)
        fwrite(jws.payload, 1, jws.payload_length, stdout);
    return status;
}

int main(int argc, char **argv)
{
    struct verify_options options;
    struct arena *a = arena_new(ARENA_BYTES);
    struct jwks *keys = NULL;
    const char *reason = NULL;
    size_t length;
    if (a == NULL || !verify_read_options(argc, argv, &options)) {
        fprintf(stderr, "usage: jwsverify --jwks FILE [--profile rfc9068|ims|none] [--issuer I] [--audience A] [--now T]\n");
        return 2;
    }
    FILE *file = fopen(options.jwks, "re");
    const char *text = verify_read(file, a, JWKS_TEXT_MAX, &length);
    if (file == NULL || jwks_read(a, options.jwks, text, length, &keys, &reason) != FAULT_NONE) {
        arena_free(a);
        return verify_refuse(file == NULL ? "the key set cannot be opened" : reason);
    }
    fclose(file);
    int status = verify_token(&options, a, keys);
    jwks_free(keys);
    arena_free(a);
    return status;
}
