/*
 * arena: the memory of one request. See arena.h.
 */
#include "lib/arena.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/invariant.h"

#ifdef __SANITIZE_ADDRESS__
#define ARENA_MALLOC 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_MALLOC 1
#endif
#endif

#ifdef ARENA_MALLOC
#define ARENA_OWNED_MAX 65536 /* every allocation is on the list too */
#else
#define ARENA_OWNED_MAX 2048
#endif

struct arena_owned {
    void *thing;
    void (*release)(void *);
};

struct arena {
    size_t size;
    size_t used;
    size_t touched; /* the most that was ever used, less what was given back */
    bool exhausted;
    unsigned owned_count;
    struct arena_owned owned[ARENA_OWNED_MAX];
    unsigned char *block;
};

struct arena *arena_new(size_t bytes)
{
    struct arena *a = calloc(1, sizeof *a);
    if (a == NULL)
        return NULL;
    a->block = malloc(bytes);
    if (a->block == NULL) {
        free(a);
        return NULL;
    }
    a->size = bytes;
    return a;
}

void arena_free(struct arena *a)
{
    if (a == NULL)
        return;
    arena_reset(a);
    free(a->block);
    free(a);
}

void arena_reset(struct arena *a)
{
    while (a->owned_count > 0) {
        struct arena_owned *o = &a->owned[--a->owned_count];
        o->release(o->thing);
    }
    a->touched = a->used > a->touched ? a->used : a->touched;
    a->used = 0;
    a->exhausted = false;
}

bool arena_trim(struct arena *a, size_t keep_bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = ((uintptr_t)a->block + keep_bytes + page - 1) / page * page;
    uintptr_t end = (uintptr_t)a->block + a->touched;
    INVARIANT(a->used == 0);
    if (a->touched <= keep_bytes || end <= from)
        return false;
    /* whole pages of the block: the last one may hold other data behind its end */
    uintptr_t last = ((uintptr_t)a->block + a->size) / page * page;
    uintptr_t to = (end + page - 1) / page * page;
    to = to < last ? to : last;
    if (to <= from || madvise((void *)from, to - from, MADV_DONTNEED) != 0)
        return false;
    a->touched = keep_bytes;
    return true;
}

bool arena_exhausted(const struct arena *a)
{
    return a->exhausted;
}

bool arena_own(struct arena *a, void *thing, void (*release)(void *))
{
    if (a->owned_count == ARENA_OWNED_MAX) {
        release(thing);
        a->exhausted = true;
        return false;
    }
    a->owned[a->owned_count++] = (struct arena_owned){thing, release};
    return true;
}

/* Takes `bytes` of the block, or a malloc of its own in sanitizer builds. */
static void *arena_take(struct arena *a, size_t bytes)
{
#ifdef ARENA_MALLOC
    void *p = malloc(bytes > 0 ? bytes : 1);
    return p != NULL && arena_own(a, p, free) ? p : NULL;
#else
    (void)bytes;
    return a->block + a->used;
#endif
}

void *arena_alloc(struct arena *a, size_t bytes)
{
    size_t need = (bytes + 15) & ~(size_t)15;
    if (need < bytes || a->exhausted || need > a->size - a->used) {
        a->exhausted = true;
        return NULL;
    }
    void *p = arena_take(a, bytes);
    if (p == NULL) {
        a->exhausted = true;
        return NULL;
    }
    a->used += need;
    memset(p, 0, bytes);
    return p;
}

char *arena_copy(struct arena *a, const char *bytes, size_t length)
{
    INVARIANT(length < SIZE_MAX);
    char *p = arena_alloc(a, length + 1);
    if (p != NULL && length > 0)
        memcpy(p, bytes, length);
    return p;
}

char *arena_text(struct arena *a, const char *text)
{
    return text == NULL ? NULL : arena_copy(a, text, strlen(text));
}

char *arena_int(struct arena *a, int64_t n)
{
    char text[24];
    int length = snprintf(text, sizeof text, "%" PRId64, n);
    return arena_copy(a, text, (size_t)length);
}

char *arena_printf(struct arena *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0) {
        a->exhausted = true;
        return NULL;
    }
    char *p = arena_alloc(a, (size_t)length + 1);
    if (p == NULL)
        return NULL;
    va_start(args, format);
    vsnprintf(p, (size_t)length + 1, format, args);
    va_end(args);
    return p;
}
