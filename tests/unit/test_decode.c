/*
 * decode: gzip and zstd back into bytes, in pieces of any size; what is broken, cut or too large is refused, wherever.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>
#include <zstd.h>

#include "store/decode.h"

#define N(array) (sizeof(array) / sizeof(array)[0])
#define PLAIN_BYTES 300000u
#define ROOM (PLAIN_BYTES + 4096u)

static unsigned char plain[PLAIN_BYTES];
static unsigned char packed[2 * ROOM];
static char got[2 * ROOM];
static struct decode *decode;

static int set_up(void **state)
{
    (void)state;
    uint32_t luck = 1;
    for (size_t i = 0; i < sizeof plain; i++) {
        luck = luck * 1664525u + 1013904223u;
        plain[i] = (unsigned char)(i % 4096 < 2048 ? 'a' + (luck >> 28) : 'z'); /* compressible, not only */
    }
    decode = decode_new();
    return decode == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    decode_free(decode);
    return 0;
}

static size_t pack_gzip(unsigned char *out, const unsigned char *bytes, size_t length)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 16 + 15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (unsigned char *)(uintptr_t)bytes;
    z.avail_in = (uInt)length;
    z.next_out = out;
    z.avail_out = ROOM;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t packed_bytes = z.total_out;
    deflateEnd(&z);
    return packed_bytes;
}

static size_t pack_zstd(unsigned char *out, const unsigned char *bytes, size_t length)
{
    size_t n = ZSTD_compress(out, ROOM, bytes, length, 1);
    assert_false(ZSTD_isError(n));
    return n;
}

static size_t pack(enum decode_encoding encoding, unsigned char *out, const unsigned char *bytes, size_t length)
{
    if (encoding == DECODE_GZIP)
        return pack_gzip(out, bytes, length);
    if (encoding == DECODE_ZSTD)
        return pack_zstd(out, bytes, length);
    memcpy(out, bytes, length);
    return length;
}

struct source {
    size_t length, at, piece;
    size_t fail_at;
};

static ssize_t source_read(void *arg, char *out, size_t room)
{
    struct source *s = arg;
    size_t n = s->length - s->at;
    if (s->at >= s->fail_at)
        return -1;
    n = n < s->piece ? n : s->piece;
    n = n < room ? n : room;
    memcpy(out, packed + s->at, n);
    s->at += n;
    return (ssize_t)n;
}

/* Decodes `length` bytes of packed with reads of `room`; answers how many came, and how it ended. */
static enum decode_state run(enum decode_encoding encoding, size_t length, size_t piece, size_t room, int64_t most,
                             size_t fail_at, size_t *came)
{
    struct source source = {.length = length, .piece = piece, .fail_at = fail_at};
    ssize_t n;
    *came = 0;
    decode_open(decode, encoding, most, source_read, &source);
    do {
        n = decode_read(decode, got + *came, room);
        *came += n > 0 ? (size_t)n : 0;
        assert_true(*came < sizeof got - room);
    } while (n > 0);
    assert_true((n == 0) == (decode_state(decode) == DECODE_FINE));
    if (n < 0) {
        assert_int_equal(decode_read(decode, got, 1), -1); /* and it stays so */
        if (decode_state(decode) == DECODE_BROKEN)
            assert_non_null(decode_reason(decode));
    }
    return decode_state(decode);
}

static const enum decode_encoding ALL[] = {DECODE_IDENTITY, DECODE_GZIP, DECODE_ZSTD};
static const enum decode_encoding PACKED[] = {DECODE_GZIP, DECODE_ZSTD};

static void whole_files_come_back(void **state)
{
    (void)state;
    static const size_t SIZES[] = {1, 2, 4096, PLAIN_BYTES};
    static const struct {
        size_t piece, room;
    } WAYS[] = {{SIZE_MAX, ROOM}, {1, ROOM}, {7, 1000}, {SIZE_MAX, 1}, {65536, 4096}, {3, 3}};
    size_t came;
    for (size_t e = 0; e < N(ALL); e++) {
        for (size_t s = 0; s < N(SIZES); s++) {
            size_t length = pack(ALL[e], packed, plain, SIZES[s]);
            for (size_t w = 0; w < N(WAYS); w++) {
                assert_int_equal(run(ALL[e], length, WAYS[w].piece, WAYS[w].room, (int64_t)SIZES[s], SIZE_MAX, &came), DECODE_FINE);
                assert_int_equal(came, SIZES[s]);
                assert_memory_equal(got, plain, came);
            }
        }
    }
}

static void members_and_frames_follow_each_other(void **state)
{
    (void)state;
    size_t came;
    for (size_t e = 0; e < N(PACKED); e++) {
        size_t length = pack(PACKED[e], packed, plain, 1000);
        length += pack(PACKED[e], packed + length, plain, 0);
        length += pack(PACKED[e], packed + length, plain + 1000, 9000);
        for (size_t piece = 1; piece < 20000; piece *= 9) {
            assert_int_equal(run(PACKED[e], length, piece, 500, 10000, SIZE_MAX, &came), DECODE_FINE);
            assert_int_equal(came, 10000);
            assert_memory_equal(got, plain, came);
        }
    }
}

static void what_is_cut_anywhere_is_broken(void **state)
{
    (void)state;
    size_t came;
    for (size_t e = 0; e < N(PACKED); e++) {
        size_t length = pack(PACKED[e], packed, plain, 3000);
        for (size_t cut = 0; cut < length; cut++) {
            assert_int_equal(run(PACKED[e], cut, SIZE_MAX, 512, INT64_MAX, SIZE_MAX, &came), DECODE_BROKEN);
            assert_memory_equal(got, plain, came);
        }
    }
}

static void what_follows_and_is_no_member_is_broken(void **state)
{
    (void)state;
    size_t came;
    for (size_t e = 0; e < N(PACKED); e++) {
        size_t length = pack(PACKED[e], packed, plain, 3000);
        for (unsigned byte = 0; byte < 256; byte += 5) {
            packed[length] = (unsigned char)byte;
            assert_int_equal(run(PACKED[e], length + 1, SIZE_MAX, 512, INT64_MAX, SIZE_MAX, &came), DECODE_BROKEN);
        }
        assert_int_equal(run(PACKED[e], length, SIZE_MAX, 512, INT64_MAX, SIZE_MAX, &came), DECODE_FINE);
    }
}

static void a_changed_gzip_is_broken(void **state)
{
    (void)state;
    size_t came, length = pack_gzip(packed, plain, 3000);
    for (size_t at = length - 8; at < length; at++) { /* sum and size */
        packed[at] ^= 1;
        assert_int_equal(run(DECODE_GZIP, length, SIZE_MAX, 512, INT64_MAX, SIZE_MAX, &came), DECODE_BROKEN);
        packed[at] ^= 1;
    }
}

static void more_than_allowed_is_too_large(void **state)
{
    (void)state;
    size_t came;
    for (size_t e = 0; e < N(ALL); e++) {
        size_t length = pack(ALL[e], packed, plain, 10000);
        assert_int_equal(run(ALL[e], length, SIZE_MAX, 700, 9999, SIZE_MAX, &came), DECODE_TOO_LARGE);
        assert_true(came <= 9999);
        assert_int_equal(run(ALL[e], length, SIZE_MAX, 700, 10000, SIZE_MAX, &came), DECODE_FINE);
    }
}

static void a_source_that_fails_is_told_apart(void **state)
{
    (void)state;
    size_t came;
    for (size_t e = 0; e < N(ALL); e++) {
        size_t length = pack(ALL[e], packed, plain, 3000);
        assert_int_equal(run(ALL[e], length, 10, 700, INT64_MAX, 50, &came), DECODE_SOURCE);
    }
}

static void a_window_above_128_mib_is_refused(void **state)
{
    (void)state;
    size_t came;
    for (int log = 27; log <= 28; log++) {
        ZSTD_CCtx *z = ZSTD_createCCtx();
        ZSTD_inBuffer in = {plain, 1000, 0};
        ZSTD_outBuffer out = {packed, sizeof packed, 0};
        ZSTD_CCtx_setParameter(z, ZSTD_c_windowLog, log);
        ZSTD_CCtx_setParameter(z, ZSTD_c_enableLongDistanceMatching, 0);
        ZSTD_compressStream2(z, &out, &in, ZSTD_e_continue); /* the size is not known, so the window stays */
        assert_int_equal(ZSTD_compressStream2(z, &out, &in, ZSTD_e_end), 0);
        ZSTD_freeCCtx(z);
        enum decode_state ended = run(DECODE_ZSTD, out.pos, SIZE_MAX, 700, INT64_MAX, SIZE_MAX, &came);
        assert_int_equal(ended, log == 27 ? DECODE_FINE : DECODE_BROKEN);
        if (log == 28)
            assert_non_null(strstr(decode_reason(decode), "128 MiB"));
    }
}

static void encodings_have_names(void **state)
{
    (void)state;
    enum decode_encoding found;
    assert_true(decode_encoding_named("identity", &found) && found == DECODE_IDENTITY);
    assert_true(decode_encoding_named("gzip", &found) && found == DECODE_GZIP);
    assert_true(decode_encoding_named("zstd", &found) && found == DECODE_ZSTD);
    assert_false(decode_encoding_named("br", &found));
    assert_false(decode_encoding_named("", &found));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_files_come_back),
        cmocka_unit_test(members_and_frames_follow_each_other),
        cmocka_unit_test(what_is_cut_anywhere_is_broken),
        cmocka_unit_test(what_follows_and_is_no_member_is_broken),
        cmocka_unit_test(a_changed_gzip_is_broken),
        cmocka_unit_test(more_than_allowed_is_too_large),
        cmocka_unit_test(a_source_that_fails_is_told_apart),
        cmocka_unit_test(a_window_above_128_mib_is_refused),
        cmocka_unit_test(encodings_have_names),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
