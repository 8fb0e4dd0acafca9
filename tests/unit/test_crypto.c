/*
 * test_crypto: digests against published vectors, strict base64url, the form of random names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/ident.h"
#include "lib/crypto.h"

#define N(array) (sizeof(array) / sizeof(array)[0])

/* FIPS 180-4 examples and the NIST CAVS short messages. */
static void digests_known_vectors(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *hex;
    } row[] = {
        {"", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"\xd3", 1, "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1"},
        {"\x00", 1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
    };
    char hex[CRYPTO_SHA256_HEX];
    (void)state;
    for (size_t i = 0; i < N(row); i++) {
        crypto_sha256_hex(row[i].bytes, row[i].length, hex);
        assert_string_equal(hex, row[i].hex);
    }
    char *million = malloc(1000000);
    memset(million, 'a', 1000000);
    crypto_sha256_hex(million, 1000000, hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(million);
}

/* RFC 4231, test cases 1, 2 and 6 (a key longer than a block). */
static void hmac_known_vectors(void **state)
{
    unsigned char ones[20], long_key[131];
    memset(ones, 0x0b, sizeof ones);
    memset(long_key, 0xaa, sizeof long_key);
    const struct {
        const void *key;
        size_t key_length;
        const char *bytes;
        const char *hex;
    } row[] = {
        {ones, sizeof ones, "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {"Jefe", 4, "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {long_key, sizeof long_key, "Test Using Larger Than Block-Size Key - Hash Key First",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    };
    unsigned char digest[CRYPTO_SHA256_BYTES];
    char hex[CRYPTO_SHA256_HEX];
    (void)state;
    for (size_t i = 0; i < N(row); i++) {
        crypto_hmac_sha256(row[i].key, row[i].key_length, row[i].bytes, strlen(row[i].bytes), digest);
        crypto_hex(digest, sizeof digest, hex);
        assert_string_equal(hex, row[i].hex);
    }
}

/* RFC 4648 section 10. */
static void encodes_base64(void **state)
{
    static const char *const ROW[][2] = {{"", ""},         {"f", "Zg=="},        {"fo", "Zm8="},        {"foo", "Zm9v"},
                                         {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff", "+/8="}};
    (void)state;
    for (size_t i = 0; i < N(ROW); i++) {
        char text[CRYPTO_BASE64_TEXT(6)];
        crypto_base64((const unsigned char *)ROW[i][0], strlen(ROW[i][0]), text);
        assert_string_equal(text, ROW[i][1]);
    }
}

static void reads_hex_strictly(void **state)
{
    static const char *const BAD[] = {"", "00ff0", "00ff0012", "00fG00", "00FF00", "00ff0 ", " 00ff0"};
    unsigned char bytes[3];
    (void)state;
    assert_true(crypto_unhex("00ff1a", bytes, 3));
    assert_memory_equal(bytes, "\x00\xff\x1a", 3);
    for (size_t i = 0; i < N(BAD); i++)
        assert_false(crypto_unhex(BAD[i], bytes, 3));
}

static void secret_hash_is_salt_then_secret(void **state)
{
    static const unsigned char SALT[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    unsigned char whole[16 + 6], expected[CRYPTO_SHA256_BYTES], got[CRYPTO_SHA256_BYTES], other[16];
    (void)state;
    memcpy(whole, SALT, 16);
    memcpy(whole + 16, "secret", 6);
    crypto_sha256(whole, sizeof whole, expected);
    crypto_secret_hash(SALT, "secret", got);
    assert_memory_equal(got, expected, sizeof got);
    crypto_secret_hash(SALT, "secreT", got);
    assert_memory_not_equal(got, expected, sizeof got);
    memcpy(other, SALT, sizeof other);
    other[15] ^= 1;
    crypto_secret_hash(other, "secret", got);
    assert_memory_not_equal(got, expected, sizeof got);
}

/* RFC 4648 section 10, without padding. */
static void encodes_base64url(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *text;
    } row[] = {
        {"", 0, ""},           {"f", 1, "Zg"},           {"fo", 2, "Zm8"},        {"foo", 3, "Zm9v"},
        {"foob", 4, "Zm9vYg"}, {"fooba", 5, "Zm9vYmE"},  {"foobar", 6, "Zm9vYmFy"}, {"\xfb\xff", 2, "-_8"},
        {"\xff\xff\xff", 3, "____"}, {"\x00\x00\x00\x00", 4, "AAAAAA"},
    };
    char text[32];
    unsigned char bytes[32];
    (void)state;
    for (size_t i = 0; i < N(row); i++) {
        size_t length = 99;
        assert_int_equal(crypto_base64url((const unsigned char *)row[i].bytes, row[i].length, text),
                         strlen(row[i].text));
        assert_string_equal(text, row[i].text);
        assert_true(crypto_base64url_decode(text, strlen(text), bytes, &length));
        assert_int_equal(length, row[i].length);
        assert_memory_equal(bytes, row[i].bytes, length);
    }
}

static void every_length_comes_back(void **state)
{
    (void)state;
    for (size_t length = 0; length < 300; length++) {
        unsigned char *in = malloc(length + 1), *out = malloc(length > 0 ? length : 1); /* exact, for ASan */
        char *text = malloc((length * 4 + 2) / 3 + 1);
        size_t got = 0;
        crypto_random(in, length + 1);
        size_t written = crypto_base64url(in, length, text);
        assert_int_equal(written, strlen(text));
        assert_true(crypto_base64url_decode(text, written, out, &got));
        assert_int_equal(got, length);
        assert_memory_equal(in, out, length);
        free(in);
        free(out);
        free(text);
    }
}

static void refuses_loose_base64url(void **state)
{
    static const struct {
        const char *text;
        size_t length;
    } row[] = {
        {"A", 1}, {"Zm9vY", 5}, {"Zm9vYmFyZ", 9},                        /* 1 mod 4 */
        {"Zg==", 4}, {"Zm8=", 4}, {"Zg=", 3}, {"====", 4}, {"Zm9v====", 8}, /* padding */
        {"Zm 9v", 5}, {" Zm9v", 5}, {"Zm9v\n", 5}, {"Zm\n8", 4}, {"Zg ", 3}, {"\tZm8", 4}, {"Zm9\r", 4},
        {"Zh", 2}, {"Zv", 2}, {"Z_", 2}, {"Zm9", 3}, {"Zm-", 3}, {"Zm9vYh", 6}, {"Zm9vYmF", 7}, /* unused bits */
        {"-+8", 3}, {"-/8", 3}, {"++++", 4}, {"////", 4},                 /* the other alphabet */
        {"Zm9.", 4}, {"Zm9\xc3", 4}, {"Zm\0v", 4}, {"Zg\0\0", 4}, {"Zm9v@A", 6}, {"[m9v", 4}, {"`m9v", 4},
        {"{m9v", 4}, {":m9v", 4},
    };
    unsigned char bytes[32];
    size_t length;
    (void)state;
    for (size_t i = 0; i < N(row); i++) {
        if (crypto_base64url_decode(row[i].text, row[i].length, bytes, &length))
            fail_msg("row %zu accepted: %s", i, row[i].text);
    }
}

/* Of the 256 values of a last byte exactly those with zero unused bits are taken: one text a value. */
static void one_text_for_each_value(void **state)
{
    (void)state;
    for (size_t digits = 2; digits <= 4; digits++) {
        int accepted = 0;
        for (int c = 0; c < 256; c++) {
            char text[4] = {'A', 'A', 'A', 'A'};
            unsigned char bytes[4];
            size_t length;
            text[digits - 1] = (char)c;
            accepted += crypto_base64url_decode(text, digits, bytes, &length);
        }
        assert_int_equal(accepted, digits == 2 ? 4 : digits == 3 ? 16 : 64);
    }
}

static void random_names_have_their_form(void **state)
{
    char before[CRYPTO_UUID_TEXT] = "", uuid[CRYPTO_UUID_TEXT], hex[2 * 16 + 1], hex_before[sizeof hex] = "";
    (void)state;
    for (int i = 0; i < 1000; i++) {
        crypto_uuid(uuid);
        assert_true(ident_is_uuid(uuid));
        assert_int_equal(uuid[14], '4');                      /* version */
        assert_non_null(memchr("89ab", uuid[19], 4));         /* variant */
        assert_string_not_equal(uuid, before);
        strcpy(before, uuid);
        crypto_random_hex(hex, 16);
        assert_true(ident_is_hex(hex, 32));
        assert_string_not_equal(hex, hex_before);
        strcpy(hex_before, hex);
    }
    crypto_random_hex(hex, 12);
    assert_true(ident_is_hex(hex, 24));
    crypto_random_hex(hex, 0);
    assert_string_equal(hex, "");
    crypto_hex((const unsigned char *)"\x00\x0f\xa5\xff", 4, hex);
    assert_string_equal(hex, "000fa5ff");
}

static void compares_and_wipes(void **state)
{
    char text[] = "secret";
    (void)state;
    assert_true(crypto_equal("abc", "abc", 3));
    assert_true(crypto_equal("abx", "aby", 2));
    assert_true(crypto_equal("a", "b", 0));
    assert_false(crypto_equal("abc", "abd", 3));
    assert_false(crypto_equal("xbc", "abc", 3));
    assert_false(crypto_equal("a\0c", "a\0d", 3));
    crypto_wipe(text, sizeof text);
    assert_memory_equal(text, "\0\0\0\0\0\0", sizeof text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_known_vectors), cmocka_unit_test(hmac_known_vectors),
        cmocka_unit_test(encodes_base64), cmocka_unit_test(reads_hex_strictly),   cmocka_unit_test(secret_hash_is_salt_then_secret),
        cmocka_unit_test(encodes_base64url),       cmocka_unit_test(every_length_comes_back),
        cmocka_unit_test(refuses_loose_base64url), cmocka_unit_test(one_text_for_each_value),
        cmocka_unit_test(random_names_have_their_form), cmocka_unit_test(compares_and_wipes),
    };
    return cmocka_run_group_tests_name("crypto", tests, NULL, NULL);
}
