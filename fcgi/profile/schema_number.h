/*
 * schema_number: JSON numbers by their digits: exact, without floating point.
 *
 * For the bounds of a schema and for numbers that are identities. Callers: profile/schema*, profile/record_identity.
 */
#ifndef CONSIGN_PROFILE_SCHEMA_NUMBER_H
#define CONSIGN_PROFILE_SCHEMA_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A number: 0.DDD times ten to the power of `point`, D the digits from `digits` to `end`, a decimal point among them
 * passed over. The first and the last digit are not 0; zero has none. Points into the text it was read from. */
struct schema_number {
    const char *digits;
    const char *end;
    int64_t point;
    uint32_t count; /* how many digits */
    bool negative;
};

/* Longest text that schema_number_write() makes, without a terminator. */
#define SCHEMA_NUMBER_TEXT_MAX 64u

/* Reads a number that jscan has accepted. Exponents beyond any use count as a very large one. */
struct schema_number schema_number_read(const char *text, size_t length);

/* Below, equal to or above 0, as a is to b. */
int schema_number_compare(const struct schema_number *a, const struct schema_number *b);

bool schema_number_is_integral(const struct schema_number *n);

/* Whether an integral number fits into a signed integer of 8, 16, 32 or 64 bits. */
bool schema_number_fits(const struct schema_number *n, unsigned bits);

/* The shortest plain decimal of the number (no exponent, no zeros at an end, no minus of zero) to `out`; returns its
 * length, 0 when that is above SCHEMA_NUMBER_TEXT_MAX. */
size_t schema_number_write(const struct schema_number *n, char out[SCHEMA_NUMBER_TEXT_MAX]);

#endif
