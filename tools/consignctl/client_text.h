/*
 * client_text: what comes from the server or the command line, before it touches a terminal, a path or a disk. Pure.
 */
#ifndef CONSIGN_TOOLS_CLIENT_TEXT_H
#define CONSIGN_TOOLS_CLIENT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copies the text, as much as fits, with a `?` for each control character (C0, DEL, and C1 in UTF-8).
 * SECURITY: a terminal obeys them. Returns out. */
char *client_text_safe(char *out, size_t size, const char *text);

/* Whether it may be the name of a downloaded file, which contract.md section 6 calls part-…: up to 200 of A-Z a-z 0-9 . _ -,
 * and no NAME.partial, which download makes itself. SECURITY: no slash, and no other file of the folder is replaced. */
bool client_text_is_file_name(const char *text);

/* Whether it can stand in a path as an id: 1 to 64 letters, digits and hyphens. */
bool client_text_is_id(const char *text);

/* Whether it is a job's number, 1 to 16 digits. */
bool client_text_is_number(const char *text);

/* Whether it can be the value of a header: 1 to `most` printable ASCII characters. */
bool client_text_is_header(const char *text, size_t most);

/* Whether it is a SHA-256 in lower-case hex. */
bool client_text_is_sha256(const char *text);

/* Whether the header Content-Range says that bytes from `first` to the last of `total` follow (RFC 9110 section 14.4). */
bool client_text_is_rest(const char *content_range, int64_t first, int64_t total);

#endif
