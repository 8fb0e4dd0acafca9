/*
 * jscan_skip: passing over the bytes that say nothing: white space, and plain ASCII in strings.
 *
 * Most of any text. Strings go 16 bytes at a time with SSE2, 8 with plain C otherwise. Inline, for
 * jscan.c only.
 */
#ifndef CONSIGN_LIB_JSCAN_SKIP_H
#define CONSIGN_LIB_JSCAN_SKIP_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static inline const unsigned char *jscan_skip_space(const unsigned char *p, const unsigned char *end)
{
    while (p < end && *p <= ' ' && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    return p;
}

#ifndef __SSE2__
/* Whether one of eight bytes is a control character, a quote, a backslash or not ASCII. */
static inline bool jscan_word_has_special(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t quote = word ^ (ones * '"');
    const uint64_t backslash = word ^ (ones * '\\');
    return (((word - ones * 0x20) | (quote - ones) | (backslash - ones) | word) & (ones * 0x80)) != 0;
}
#endif

/* The first byte from `p` that a string cannot hold as plain ASCII, or a place shortly before it
 * near the end of the text: the caller reads on from there byte by byte. */
static inline const unsigned char *jscan_skip_plain(const unsigned char *p, const unsigned char *end)
{
#ifdef __SSE2__
    while (end - p >= 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
        /* Signed: bytes of 0x80 and above are below 0x20 as well. */
        __m128i special = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
        special = _mm_or_si128(special, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')));
        special = _mm_or_si128(special, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
        unsigned mask = (unsigned)_mm_movemask_epi8(special);
        if (mask != 0)
            return p + __builtin_ctz(mask);
        p += 16;
    }
    return p;
#else
    while (end - p >= 8) {
        uint64_t word;
        memcpy(&word, p, sizeof word);
        if (jscan_word_has_special(word))
            break;
        p += 8;
    }
    while (p < end && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\')
        p++;
    return p;
#endif
}

#endif
