/*
 * secret_file: a file that holds a secret, opened only when nobody else can read it. Callers: the signing key (core/keys), the
 * credentials of the object store (core/object_store).
 */
#ifndef CONSIGN_LIB_SECRET_FILE_H
#define CONSIGN_LIB_SECRET_FILE_H

#include <stdio.h>

/* Opens a regular file, no link, of `most` bytes at most and mode 0600 or less, for reading. The stream is the caller's. NULL:
 * *reason says why, valid until the next call of strerror(). */
FILE *secret_file_open(const char *path, long most, const char **reason);

#endif
