/*
 * jsoncheck: the product's JSON scanner as a program, for vectors and for a look by hand.
 *
 *   jsoncheck < document      exit 0: accepted; 1: refused, with the byte offset and the reason
 *
 * With the limits of request bodies (contract.md section 3).
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/jscan.h"

int main(void)
{
    struct jscan_limits limits = JSCAN_REQUEST_LIMITS;
    struct jscan scan = JSCAN_INIT;
    size_t room = (size_t)limits.bytes + 2, length = 0, got;
    char *text = malloc(room);
    if (text == NULL)
        return 2;
    while (length < room && (got = fread(text + length, 1, room - length, stdin)) > 0)
        length += got;
    enum jscan_fault fault = jscan_document(&scan, text, length, limits);
    if (fault != JSCAN_OK)
        printf("refused at byte %zu: %s\n", scan.fault_offset, jscan_reason(fault));
    jscan_free(&scan);
    free(text);
    return fault == JSCAN_OK ? 0 : 1;
}
