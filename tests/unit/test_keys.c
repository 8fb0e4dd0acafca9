/*
 * test_keys: the signing key is made once, kept to its owner, and anything doubtful is refused.
 */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "core/jwks.h"
#include "core/keys.h"
#include "lib/crypto.h"
#include "lib/jsonio.h"
#include "scratch.h"

#define N(array) (sizeof(array) / sizeof(array)[0])
#define FILE_NAME "ims-signing.pem"

static char said[4096];

/* A directory of this name below the scratch directory, made anew; the key's path goes to `file`. */
static void fresh(const char *name, char dir[SCRATCH_PATH_MAX], char file[SCRATCH_PATH_MAX + 32])
{
    scratch_path(dir, name);
    scratch_remove(dir);
    assert_int_equal(mkdir(dir, 0700), 0);
    snprintf(file, SCRATCH_PATH_MAX + 32, "%s/" FILE_NAME, dir);
}

static enum fault open_quietly(const char *dir, struct keys **out)
{
    int saved = scratch_listen();
    *out = NULL;
    enum fault fault = keys_open(dir, out);
    scratch_heard(saved, said, sizeof said);
    return fault;
}

static int files_in(const char *directory)
{
    int count = 0;
    DIR *dir = opendir(directory);
    for (struct dirent *e; (e = readdir(dir)) != NULL;)
        count += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(dir);
    return count;
}

static void made_at_the_first_start_and_kept(void **state)
{
    char dir[SCRATCH_PATH_MAX], file[SCRATCH_PATH_MAX + 32];
    struct keys *first, *second;
    struct stat info;
    (void)state;
    fresh("kept", dir, file);
    rmdir(dir); /* the directory is made as well */
    mode_t before = umask(0);
    assert_int_equal(open_quietly(dir, &first), FAULT_NONE);
    umask(before);
    assert_non_null(strstr(said, "event=signing_key_made"));
    assert_int_equal(stat(dir, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);
    assert_int_equal(stat(file, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(info.st_nlink, 1);
    assert_int_equal(files_in(dir), 1);

    assert_int_equal(open_quietly(dir, &second), FAULT_NONE);
    assert_string_equal(said, "");
    assert_string_equal(keys_id(first), keys_id(second));
    assert_string_equal(keys_jwks(first), keys_jwks(second));
    keys_free(first);
    keys_free(second);

    assert_int_equal(unlink(file), 0);
    assert_int_equal(open_quietly(dir, &second), FAULT_NONE);
    assert_int_equal(open_quietly(dir, &first), FAULT_NONE);
    assert_string_equal(keys_id(first), keys_id(second));
    keys_free(first);
    keys_free(second);
    keys_free(NULL);
}

/* What a process that was killed while it made the key left behind stops nobody, though a container
 * gives the next one the same pid. */
static void leftover_of_a_killed_start_is_harmless(void **state)
{
    char dir[SCRATCH_PATH_MAX], file[SCRATCH_PATH_MAX + 32], aside[SCRATCH_PATH_MAX + 32];
    struct keys *keys;
    (void)state;
    fresh("leftover", dir, file);
    snprintf(aside, sizeof aside, "%s/.new-%d", dir, (int)getpid());
    scratch_write(aside, "-----BEGIN PRIV", 15, 0600);
    assert_int_equal(open_quietly(dir, &keys), FAULT_NONE);
    keys_free(keys);
}

static void public_set_holds_the_key_and_no_secret(void **state)
{
    static const char *const SECRET[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};
    char dir[SCRATCH_PATH_MAX], file[SCRATCH_PATH_MAX + 32], members[1024], id[64];
    struct keys *keys;
    struct json_object *set = NULL;
    struct jsonio_refusal broken;
    unsigned char digest[CRYPTO_SHA256_BYTES], raw[600];
    size_t length = 0;
    (void)state;
    fresh("public", dir, file);
    assert_int_equal(open_quietly(dir, &keys), FAULT_NONE);
    struct arena *arena = arena_new(65536);
    const char *text = keys_jwks(keys);
    assert_int_equal(jsonio_parse(arena, text, strlen(text), JSCAN_REQUEST_LIMITS, &set, &broken), FAULT_NONE);
    struct json_object *list = jsonio_member(set, "keys", NULL);
    assert_int_equal(json_object_array_length(list), 1);
    struct json_object *key = json_object_array_get_idx(list, 0);
    assert_string_equal(jsonio_member_text(key, "kty"), "RSA");
    assert_string_equal(jsonio_member_text(key, "alg"), "RS256");
    assert_string_equal(jsonio_member_text(key, "use"), "sig");
    assert_string_equal(jsonio_member_text(key, "kid"), keys_id(keys));
    assert_string_equal(jsonio_member_text(key, "e"), "AQAB");
    for (size_t i = 0; i < N(SECRET); i++)
        assert_null(jsonio_member(key, SECRET[i], NULL));
    const char *n = jsonio_member_text(key, "n");
    assert_true(crypto_base64url_decode(n, strlen(n), raw, &length));
    assert_int_equal(length, 256);
    assert_true(raw[0] >= 0x80); /* RFC 7518 section 6.3.1.1: no leading zero */
    snprintf(members, sizeof members, "{\"e\":\"AQAB\",\"kty\":\"RSA\",\"n\":\"%s\"}", n); /* RFC 7638 */
    crypto_sha256(members, strlen(members), digest);
    crypto_base64url(digest, sizeof digest, id);
    assert_string_equal(keys_id(keys), id);
    arena_free(arena);
    keys_free(keys);
}

static void write_key(const char *path, EVP_PKEY *pair, bool encrypted)
{
    char *bytes;
    BIO *out = BIO_new(BIO_s_mem());
    assert_non_null(pair);
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(out, pair, encrypted ? EVP_aes_128_cbc() : NULL,
                                                   encrypted ? "secret" : NULL, encrypted ? 6 : 0, NULL, NULL),
                     1);
    long length = BIO_get_mem_data(out, &bytes);
    scratch_write(path, bytes, (size_t)length, 0600);
    BIO_free(out);
    EVP_PKEY_free(pair);
}

static void assert_refused(const char *dir, const char *reason)
{
    struct keys *keys;
    assert_int_equal(open_quietly(dir, &keys), FAULT_INTERNAL);
    assert_null(keys);
    if (strstr(said, "event=signing_key ") == NULL || strstr(said, reason) == NULL)
        fail_msg("wanted %s, said %s", reason, said);
    assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
}

static void others_may_not_read_it(void **state)
{
    static const mode_t BAD[] = {0644, 0640, 0604, 0620, 0602, 0610, 0601, 0666, 0777};
    static const mode_t GOOD[] = {0600, 0400, 0700};
    char dir[SCRATCH_PATH_MAX], file[SCRATCH_PATH_MAX + 32];
    struct keys *keys;
    (void)state;
    fresh("mode", dir, file);
    assert_int_equal(open_quietly(dir, &keys), FAULT_NONE);
    keys_free(keys);
    for (size_t i = 0; i < N(BAD); i++) {
        assert_int_equal(chmod(file, BAD[i]), 0);
        assert_refused(dir, "mode 0600 is required");
    }
    for (size_t i = 0; i < N(GOOD); i++) {
        assert_int_equal(chmod(file, GOOD[i]), 0);
        assert_int_equal(open_quietly(dir, &keys), FAULT_NONE);
        keys_free(keys);
    }
}

static void other_keys_are_refused(void **state)
{
    char dir[SCRATCH_PATH_MAX], file[SCRATCH_PATH_MAX + 32];
    (void)state;
    fresh("other", dir, file);
    write_key(file, EVP_RSA_gen(1024), false);
    assert_refused(dir, "not an RSA key");
    write_key(file, EVP_RSA_gen(2040), false);
    assert_refused(dir, "not an RSA key");
    write_key(file, EVP_EC_gen("P-256"), false);
    assert_refused(dir, "not an RSA key");
    write_key(file, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), false);
    assert_refused(dir, "not an RSA key");
    /* asks nobody for the pass phrase: there is nobody */
    write_key(file, EVP_RSA_gen(2048), true);
    assert_refused(dir, "not an RSA key");
    scratch_write(file, "", 0, 0600);
    assert_refused(dir, "not an RSA key");
    scratch_write(file, "garbage\n", 8, 0600);
    assert_refused(dir, "not an RSA key");
    scratch_write(file, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 59, 0600);
    assert_refused(dir, "not an RSA key");
}

static void public_half_and_half_a_file_are_refused(void **state)
{
    char dir[SCRATCH_PATH_MAX], file[SCRATCH_PATH_MAX + 32], text[4096], *bytes;
    (void)state;
    fresh("half", dir, file);
    EVP_PKEY *pair = EVP_RSA_gen(2048);
    BIO *out = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PUBKEY(out, pair), 1);
    long size = BIO_get_mem_data(out, &bytes);
    scratch_write(file, bytes, (size_t)size, 0600);
    BIO_free(out);
    assert_refused(dir, "not an RSA key");
    write_key(file, pair, false);
    FILE *in = fopen(file, "re");
    size_t length = fread(text, 1, sizeof text, in);
    fclose(in);
    for (size_t kept = 0; kept < length - 30; kept += 150) {
        scratch_write(file, text, kept, 0600);
        assert_refused(dir, "not an RSA key");
    }
}

static void paths_that_lead_elsewhere_are_refused(void **state)
{
    char dir[SCRATCH_PATH_MAX], file[SCRATCH_PATH_MAX + 32], real[SCRATCH_PATH_MAX + 32];
    (void)state;
    fresh("link", dir, file);
    snprintf(real, sizeof real, "%s/real.pem", dir);
    write_key(real, EVP_RSA_gen(2048), false);
    assert_int_equal(symlink("real.pem", file), 0);
    assert_refused(dir, "reason=");
    assert_int_equal(unlink(file), 0);
    assert_int_equal(mkdir(file, 0700), 0);
    assert_refused(dir, "reason=");
}

static void no_directory_no_key(void **state)
{
    char path[SCRATCH_PATH_MAX];
    (void)state;
    scratch_path(path, "absent/deeper");
    assert_refused(path, "reason=");
    scratch_path(path, "plain-file");
    scratch_write(path, "x", 1, 0600);
    assert_refused(path, "reason=");
}

/* Several processes start at once on an empty directory: all of them end with the same key. */
static void two_first_starts_agree(void **state)
{
    enum { STARTS = 4 };
    char dir[SCRATCH_PATH_MAX], file[SCRATCH_PATH_MAX + 32], id[STARTS][64];
    int gate[2], answer[2];
    (void)state;
    fresh("race", dir, file);
    assert_int_equal(pipe(gate), 0);
    assert_int_equal(pipe(answer), 0);
    int saved = scratch_listen();
    for (int i = 0; i < STARTS; i++) {
        if (fork() != 0)
            continue;
        struct keys *keys = NULL;
        char mine[64] = "", go;
        close(gate[1]);
        if (read(gate[0], &go, 1) == 0 && keys_open(dir, &keys) == FAULT_NONE)
            strcpy(mine, keys_id(keys));
        _exit(write(answer[1], mine, sizeof mine) != sizeof mine);
    }
    close(gate[0]);
    close(gate[1]); /* go */
    for (int i = 0; i < STARTS; i++) {
        int status;
        assert_int_equal(read(answer[0], id[i], sizeof id[i]), sizeof id[i]);
        wait(&status);
    }
    scratch_heard(saved, said, sizeof said);
    close(answer[0]);
    close(answer[1]);
    assert_int_equal(strlen(id[0]), 43);
    for (int i = 1; i < STARTS; i++)
        assert_string_equal(id[i], id[0]);
    assert_int_equal(files_in(dir), 1);
}

/* The published set verifies what the key signs; the rest of verification is test_jwk's. */
static void the_public_set_verifies_what_is_signed(void **state)
{
    char dir[SCRATCH_PATH_MAX], file[SCRATCH_PATH_MAX + 32];
    unsigned char good[KEYS_SIGNATURE_MAX];
    size_t length = sizeof good, small = 255;
    struct keys *keys, *others;
    struct jwks *set = NULL, *set_of_others = NULL;
    const char *reason;
    struct arena *arena = arena_new(65536);
    (void)state;
    fresh("sign", dir, file);
    assert_int_equal(open_quietly(dir, &keys), FAULT_NONE);
    fresh("sign-other", dir, file);
    assert_int_equal(open_quietly(dir, &others), FAULT_NONE);
    assert_int_equal(jwks_read(arena, "t", keys_jwks(keys), strlen(keys_jwks(keys)), &set, &reason), FAULT_NONE);
    assert_int_equal(jwks_read(arena, "t", keys_jwks(others), strlen(keys_jwks(others)), &set_of_others, &reason), FAULT_NONE);
    const struct jwk *mine = jwks_find(set, keys_id(keys)), *theirs = jwks_find(set_of_others, keys_id(others));
    assert_non_null(mine);
    assert_non_null(theirs);
    assert_null(jwks_find(set_of_others, keys_id(keys)));
    assert_int_equal(keys_sign(keys, "text", 4, good, &length), FAULT_NONE);
    assert_int_equal(length, 256);
    assert_true(jwk_verify(mine, "text", 4, good, length));
    assert_false(jwk_verify(theirs, "text", 4, good, length));
    assert_false(jwk_verify(mine, "texT", 4, good, length));
    assert_int_equal(keys_sign(keys, "text", 4, good, &small), FAULT_INTERNAL);
    jwks_free(set);
    jwks_free(set_of_others);
    keys_free(keys);
    keys_free(others);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(made_at_the_first_start_and_kept), cmocka_unit_test(leftover_of_a_killed_start_is_harmless),
        cmocka_unit_test(public_set_holds_the_key_and_no_secret), cmocka_unit_test(others_may_not_read_it),
        cmocka_unit_test(other_keys_are_refused),           cmocka_unit_test(public_half_and_half_a_file_are_refused),
        cmocka_unit_test(paths_that_lead_elsewhere_are_refused), cmocka_unit_test(no_directory_no_key),
        cmocka_unit_test(two_first_starts_agree),           cmocka_unit_test(the_public_set_verifies_what_is_signed),
    };
    return cmocka_run_group_tests_name("keys", tests, NULL, scratch_end);
}
