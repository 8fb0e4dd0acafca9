/*
 * byte_range: the header Range of a request (RFC 9110 section 14.1.2). Pure. Caller: download.
 */
#ifndef CONSIGN_RESPONDER_BYTE_RANGE_H
#define CONSIGN_RESPONDER_BYTE_RANGE_H

#include <stdbool.h>
#include <stdint.h>

/* Whether it is one range of bytes, in the plainest form, that is sure to be satisfied by a file of so many bytes (-1: not
 * known, so none is). */
bool byte_range_plain(const char *range, int64_t bytes);

#endif
