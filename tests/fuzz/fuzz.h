/*
 * fuzz: what the fuzz targets share.
 *
 * A target is one file fuzz_NAME.c around one parser. It feeds the parser what came in and checks by
 * INVARIANT() what must hold of the answer, so a finding is a wrong answer as much as a bad access.
 * `make fuzz` links it with libFuzzer, `make check` with replay.c over tests/fuzz/corpus/NAME. A target
 * keeps no state that could change what the next input finds.
 */
#ifndef CONSIGN_FUZZ_FUZZ_H
#define CONSIGN_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/invariant.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whether the bytes are well-formed UTF-8 without U+0000. */
bool fuzz_is_text(const char *bytes, size_t length);

/* Whether the bytes are one JSON text as contract.md section 3 wants it, by a reader that shares nothing with
 * jscan: recursive, on code points, slow. `depth` is the deepest nesting that it takes. */
bool fuzz_is_json(const char *bytes, size_t length, int depth);

/* Takes the next string from an input in which strings end with a NUL byte: its first byte, or NULL
 * after the last. The string is made in the input's copy at *at, which ends with a NUL byte at `end`. */
static inline char *fuzz_next(char **at, const char *end)
{
    char *text = *at;
    if (text >= end)
        return NULL;
    *at = text + strlen(text) + 1;
    return text;
}

#endif
