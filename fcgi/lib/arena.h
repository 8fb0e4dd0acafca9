/*
 * arena: the memory of one request or one job step.
 *
 * A fixed block that is reset at the start and never freed piecewise. Running out sets a sticky
 * flag; allocations then return NULL and whoever answers checks the flag once. Things that are not
 * memory (a database result, a JSON tree) are registered with their release function when they are
 * obtained, so that no handler has a free path of its own.
 *
 * In sanitizer builds every allocation is a malloc of its own, so that overruns are seen.
 */
#ifndef CONSIGN_LIB_ARENA_H
#define CONSIGN_LIB_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

/* An arena of `bytes` bytes, or NULL when there is no memory for it. */
struct arena *arena_new(size_t bytes);
void arena_free(struct arena *a);

/* Releases everything registered, newest first, and starts anew. */
void arena_reset(struct arena *a);

/* After a reset: gives what was ever used beyond the first `keep_bytes` back to the system; whether there was any. Costs a page fault for
 * each page that is used again, so it is for after a large request, not for a step among equals. */
bool arena_trim(struct arena *a, size_t keep_bytes);

/* Whether any allocation failed since the last reset. */
bool arena_exhausted(const struct arena *a);

/* Zeroed memory, aligned for any type; valid until the reset. NULL: exhausted. */
void *arena_alloc(struct arena *a, size_t bytes);
char *arena_copy(struct arena *a, const char *bytes, size_t length); /* with a terminator */
char *arena_text(struct arena *a, const char *text);                 /* NULL for NULL */
char *arena_int(struct arena *a, int64_t n);                         /* in decimal */
char *arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Calls release(thing) at the reset; at once, and false, when that cannot be noted. */
bool arena_own(struct arena *a, void *thing, void (*release)(void *));

#endif
