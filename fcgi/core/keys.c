/*
 * keys: the signing key. See keys.h.
 */
#include "core/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/crypto.h"
#include "lib/log.h"
#include "lib/secret_file.h"

#define KEYS_FILE "ims-signing.pem"
#define KEYS_FILE_MAX 65536
#define KEYS_BITS 2048
#define KEYS_BITS_MOST 4096

struct keys {
    EVP_PKEY *pair;
    char id[64];
    char jwks[2048];
};

static enum fault keys_refuse(const char *path, const char *reason)
{
    log_event(LOG_ERROR, "signing_key", "file=%s reason=\"%s\"", log_quote(path), reason);
    return FAULT_INTERNAL;
}

/* Writes a new key aside and links it into place, so that a half-written key is never found and of
 * two processes that do this at once one wins. */
static enum fault keys_make(const char *dir, const char *path)
{
    char aside[4096], name[CRYPTO_UUID_TEXT];
    int fd = -1;
    crypto_uuid(name); /* no pid: in a container the next start has the same, and finds what a killed one left */
    if (snprintf(aside, sizeof aside, "%s/.new-%s", dir, name) < (int)sizeof aside)
        fd = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (file == NULL)
        return keys_refuse(path, strerror(errno));
    EVP_PKEY *pair = EVP_RSA_gen(KEYS_BITS);
    bool good = pair != NULL && PEM_write_PKCS8PrivateKey(file, pair, NULL, NULL, 0, NULL, NULL) == 1 &&
                fflush(file) == 0 && fsync(fd) == 0;
    EVP_PKEY_free(pair);
    good = fclose(file) == 0 && good;
    if (good && link(aside, path) != 0 && errno != EEXIST)
        good = false;
    int saved = errno;
    unlink(aside);
    int folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    good = good && folder >= 0 && fsync(folder) == 0; /* else a power loss ends every token */
    if (folder >= 0)
        close(folder);
    if (!good)
        return keys_refuse(path, strerror(saved));
    log_event(LOG_INFO, "signing_key_made", "file=%s", log_quote(path));
    return FAULT_NONE;
}

static enum fault keys_read(const char *path, EVP_PKEY **out)
{
    const char *reason;
    FILE *file = secret_file_open(path, KEYS_FILE_MAX, &reason);
    if (file == NULL)
        return keys_refuse(path, reason);
    *out = PEM_read_PrivateKey(file, NULL, NULL, ""); /* without a pass phrase it would ask for one */
    fclose(file);
    int bits = *out == NULL ? 0 : EVP_PKEY_get_bits(*out);
    if (*out == NULL || !EVP_PKEY_is_a(*out, "RSA") || bits < KEYS_BITS || bits > KEYS_BITS_MOST)
        return keys_refuse(path, "not an RSA key of 2048 to 4096 bit");
    return FAULT_NONE;
}

/* One number of the public key in base64url. */
static bool keys_number(const EVP_PKEY *pair, const char *name, char *out)
{
    unsigned char raw[KEYS_BITS_MOST / 8];
    BIGNUM *n = NULL;
    bool good = EVP_PKEY_get_bn_param(pair, name, &n) == 1 && BN_num_bytes(n) <= (int)sizeof raw;
    if (good)
        crypto_base64url(raw, (size_t)BN_bn2bin(n, raw), out);
    BN_free(n);
    return good;
}

/* Fills in the id and the key set. */
static enum fault keys_describe(struct keys *keys)
{
    char e[16], n[KEYS_BITS_MOST / 8 * 4 / 3 + 4], members[1024];
    unsigned char digest[CRYPTO_SHA256_BYTES];
    if (!keys_number(keys->pair, OSSL_PKEY_PARAM_RSA_E, e) || !keys_number(keys->pair, OSSL_PKEY_PARAM_RSA_N, n))
        return keys_refuse(KEYS_FILE, "the public key cannot be read");
    /* RFC 7638 section 3.2: the required members in this order, without white space */
    snprintf(members, sizeof members, "{\"e\":\"%s\",\"kty\":\"RSA\",\"n\":\"%s\"}", e, n);
    crypto_sha256(members, strlen(members), digest);
    crypto_base64url(digest, sizeof digest, keys->id);
    snprintf(keys->jwks, sizeof keys->jwks,
             "{\"keys\":[{\"kty\":\"RSA\",\"use\":\"sig\",\"alg\":\"RS256\",\"kid\":\"%s\",\"n\":\"%s\",\"e\":\"%s\"}]}", keys->id, n,
             e);
    return FAULT_NONE;
}

enum fault keys_open(const char *dir, struct keys **out)
{
    char path[4096];
    struct stat folder;
    if ((mkdir(dir, 0700) != 0 && errno != EEXIST) || stat(dir, &folder) != 0)
        return keys_refuse(dir, strerror(errno));
    if (folder.st_uid != geteuid() || (folder.st_mode & 077) != 0)
        return keys_refuse(dir, "the folder must be ours and closed to others: mode 0700");
    snprintf(path, sizeof path, "%s/" KEYS_FILE, dir);
    if (access(path, F_OK) != 0) {
        enum fault fault = keys_make(dir, path);
        if (fault != FAULT_NONE)
            return fault;
    }
    struct keys *keys = calloc(1, sizeof *keys);
    if (keys == NULL)
        return FAULT_MEMORY;
    enum fault fault = keys_read(path, &keys->pair);
    if (fault == FAULT_NONE)
        fault = keys_describe(keys);
    if (fault != FAULT_NONE) {
        keys_free(keys);
        return fault;
    }
    *out = keys;
    return FAULT_NONE;
}

void keys_free(struct keys *keys)
{
    if (keys == NULL)
        return;
    EVP_PKEY_free(keys->pair);
    free(keys);
}

const char *keys_id(const struct keys *keys)
{
    return keys->id;
}

const char *keys_jwks(const struct keys *keys)
{
    return keys->jwks;
}

enum fault keys_sign(const struct keys *keys, const char *text, size_t text_length, unsigned char *signature,
                     size_t *length)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context != NULL && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, keys->pair) == 1 &&
                EVP_DigestSign(context, signature, length, (const unsigned char *)text, text_length) == 1;
    EVP_MD_CTX_free(context);
    return good ? FAULT_NONE : FAULT_INTERNAL;
}
