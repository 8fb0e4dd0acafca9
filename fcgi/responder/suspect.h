/*
 * suspect: requests that workers have ended with. Called by pipeline.c, made and tidied by main.c.
 *
 * nginx sends a GET whose connection broke again, as often as it has a kept connection (nginx/consign/pool.conf), so one
 * that ends its worker would end them all: promise 9 of fcgi/README.md. Who was killed by chance while it had a request leaves
 * that to another worker; what two have ended with is refused.
 *
 * Each worker notes in memory that all share which request it has, and takes the note back; what stands in the slot of a
 * worker that ended is kept by the supervisor. A request is known by nginx's own id, which no client chooses. What ends a
 * worker before its parameters are read is not seen.
 */
#ifndef CONSIGN_RESPONDER_SUSPECT_H
#define CONSIGN_RESPONDER_SUSPECT_H

#include <stdbool.h>

struct suspect;

/* For so many workers, in shared memory that is never given back. NULL without memory. */
struct suspect *suspect_new(int workers);

/* In a worker: it begins a request of that id (NULL: one of none, which is never refused). False: two workers have ended
 * with it, or have it still. */
bool suspect_begin(struct suspect *s, int slot, const char *id);

/* In a worker: it is through with its request. */
void suspect_end(struct suspect *s, int slot);

/* In the supervisor: the worker in that slot ended, however it did. */
void suspect_ended(struct suspect *s, int slot);

#endif
