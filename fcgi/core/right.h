/*
 * right: what a client may do. A client's rights come from its registration (contract.md sections
 * 1 and 2); a token can only narrow them.
 */
#ifndef CONSIGN_CORE_RIGHT_H
#define CONSIGN_CORE_RIGHT_H

#include <stddef.h>

enum right {
    RIGHT_CATALOG_READ = 1 << 0,
    RIGHT_CATALOG_WRITE = 1 << 1,
    RIGHT_EXPORT_READ = 1 << 2,
    RIGHT_EXPORT_WRITE = 1 << 3,
    RIGHT_PROFILE_READ = 1 << 4,
    RIGHT_PROFILE_WRITE = 1 << 5,
    RIGHT_INGEST_WRITE = 1 << 6,
    RIGHT_FILES_READ = 1 << 7,
    RIGHT_SCHEMA_READ = 1 << 8,
    RIGHT_SCHEMA_WRITE = 1 << 9,
    RIGHT_ALL = (1 << 10) - 1
};

/* The rights named in `text`, names separated by spaces or commas; names that are no right are
 * passed over, and *unknown (may be NULL) counts them. */
unsigned right_parse(const char *text, unsigned *unknown);

/* The name of one right ("export:read"). */
const char *right_name(enum right right);

/* The names of the rights in `set`, separated by `separator`, into out. At most size bytes. */
void right_print(unsigned set, char separator, char *out, size_t size);

#endif
