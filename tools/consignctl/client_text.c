/*
 * client_text: what comes from the server or the command line. See client_text.h.
 */
#include "consignctl/client_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DIGITS "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define FILE_NAME_MAX 200
#define ID_MAX 64
#define NUMBER_MAX 16
#define SHA256_DIGITS 64

char *client_text_safe(char *out, size_t size, const char *text)
{
    size_t n = 0;
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0' && n + 1 < size; p++) {
        if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0) {
            out[n++] = '?';
            p++;
        } else {
            out[n++] = *p < 0x20 || *p == 0x7f ? '?' : (char)*p;
        }
    }
    out[n] = '\0';
    return out;
}

/* Whether all of the text, which is 1 to `most` bytes long, is of these characters. */
static bool text_is_of(const char *text, const char *characters, size_t most)
{
    size_t length = strlen(text);
    return length > 0 && length <= most && strspn(text, characters) == length;
}

static bool text_ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

bool client_text_is_file_name(const char *text)
{
    return text_is_of(text, LETTERS DIGITS "._-", FILE_NAME_MAX) && strncmp(text, "part-", 5) == 0 &&
           !text_ends_with(text, ".partial");
}

bool client_text_is_id(const char *text)
{
    return text_is_of(text, LETTERS DIGITS "-", ID_MAX);
}

bool client_text_is_number(const char *text)
{
    return text_is_of(text, DIGITS, NUMBER_MAX);
}

bool client_text_is_header(const char *text, size_t most)
{
    size_t length = strlen(text);
    bool good = length > 0 && length <= most;
    for (const char *p = text; good && *p != '\0'; p++)
        good = *p > 0x20 && *p < 0x7f;
    return good;
}

bool client_text_is_sha256(const char *text)
{
    return strlen(text) == SHA256_DIGITS && text_is_of(text, DIGITS "abcdef", SHA256_DIGITS);
}

bool client_text_is_rest(const char *content_range, int64_t first, int64_t total)
{
    char wanted[96];
    snprintf(wanted, sizeof wanted, "bytes %" PRId64 "-%" PRId64 "/%" PRId64, first, total - 1, total);
    return strcasecmp(content_range, wanted) == 0;
}
