/*
 * pool_check: runs the program with `--check` before a reload: are the settings good, does the program start,
 * and is nothing changed that only a restart can change? Caller: pool.c.
 *
 * What the program then writes to stdout is compared with what this one would (pool_program.fixed). It runs as a
 * child, as the user that the supervisor is, in its own time: the supervisor goes on with its work.
 */
#ifndef CONSIGN_LIB_POOL_CHECK_H
#define CONSIGN_LIB_POOL_CHECK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/pool_upgrade.h"

/* One run; zeroed: none. */
struct pool_check {
    pid_t pid; /* 0: none runs */
    int out, err; /* what it wrote */
    int64_t begun_ms;
};

/* Starts it. False, with a line in the log, when that failed. */
bool pool_check_begin(struct pool_check *c, const struct pool_program *program);

/* Ends one that takes too long. */
void pool_check_press(struct pool_check *c);

/* The child ended with this wait status. True: the reload may go on; false: no, with a line in the log. */
bool pool_check_conclude(struct pool_check *c, const struct pool_program *program, int status);

#endif
