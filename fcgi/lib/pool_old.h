/*
 * pool_old: workers that the supervisor took over from the program it was before a reload.
 *
 * Each goes through stages: it SERVES until the new set is ready, RETIRES (SIGUSR1: takes no more work),
 * STOPS when that took too long (SIGTERM: hands its work on), and is KILLED when that took too long as
 * well. Callers: pool.c, pool_upgrade.c.
 */
#ifndef CONSIGN_LIB_POOL_OLD_H
#define CONSIGN_LIB_POOL_OLD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/str.h"

#define POOL_OLD_MAX 4096 /* api.workers is 512 at most, and at most three retired sets are kept */

enum pool_stage { POOL_SERVES, POOL_RETIRES, POOL_STOPS, POOL_KILLED };

struct pool_old_worker {
    pid_t pid;
    enum pool_stage stage;
    int64_t since_ms; /* of the stage, monotonic: that clock goes on over exec() */
};

/* In the order they were added: the oldest first. Zeroed it is empty. */
struct pool_old {
    struct pool_old_worker *worker;
    int count;
};

void pool_old_free(struct pool_old *list);

/* False: no memory, or more than POOL_OLD_MAX. */
bool pool_old_add(struct pool_old *list, pid_t pid, enum pool_stage stage, int64_t since_ms);

/* Takes a worker that ended off the list. False: it was not on it. */
bool pool_old_forget(struct pool_old *list, pid_t pid);

int pool_old_count(const struct pool_old *list, enum pool_stage stage);

/* Retires those that serve; returns how many. */
int pool_old_retire(struct pool_old *list, int64_t now_ms);

/* Moves those on that have been retiring for retire_ms, the oldest of more than `most` retiring ones, and those that
 * have been stopping for grace_ms. Each with a line in the log. */
void pool_old_press(struct pool_old *list, int64_t now_ms, int64_t retire_ms, int64_t grace_ms, int most);

/* Sends all of them a signal. */
void pool_old_signal(const struct pool_old *list, int signal_number);

/* The list as a text: ";pid:stage:since_ms" for each. */
void pool_old_write(const struct pool_old *list, struct str *out);

/* Reads such a text to its end. False: it is none, or names a process that is not this one's child. What was
 * read so far stays on the list. */
bool pool_old_read(struct pool_old *list, const char *text);

#endif
