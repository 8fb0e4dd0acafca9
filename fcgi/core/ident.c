/*
 * ident: the forms of our own identifiers. See ident.h.
 */
#include "core/ident.h"

#include <string.h>

static bool ident_is_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool ident_is_hex(const char *text, size_t digits)
{
    for (size_t i = 0; i < digits; i++) {
        if (!ident_is_digit(text[i])) /* the terminator is none, so nothing is read beyond it */
            return false;
    }
    return text[digits] == '\0';
}

bool ident_is_uuid(const char *text)
{
    for (size_t i = 0; i < IDENT_UUID_LENGTH; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !ident_is_digit(text[i]))
            return false;
    }
    return text[IDENT_UUID_LENGTH] == '\0';
}
