/*
 * pool_upgrade: one program after the other in the same process. Callers: the mains; pool.c.
 *
 * The supervisor becomes the new program by exec(): its pid stays (a service manager sees nothing), its
 * children stay its children, and PR_SET_PDEATHSIG of the workers goes on holding, because the process does
 * not end. Descriptors and workers are handed over in the environment variable CONSIGN_POOL, which names
 * the pid it is meant for; what was added since the first version in CONSIGN_POOL_MORE, likewise, so that each version can
 * follow each other. SECURITY: an exec() makes a process traceable again by others of its own user;
 * pool_take_over() is therefore the first call in main.
 */
#ifndef CONSIGN_LIB_POOL_UPGRADE_H
#define CONSIGN_LIB_POOL_UPGRADE_H

#include <stdbool.h>

#define POOL_KEEP_MAX 3

/* How to become the next program, for pool_options.program. */
struct pool_program {
    char *const *argv; /* as in main, argv[0] being the path where the program lies */
    /* What it writes to stdout when it is run with these words and `--check`: all that a reload can't change.
     * NULL: not known. */
    const char *fixed;
    int keep[POOL_KEEP_MAX]; /* descriptors that it goes on with; -1: none */
};

/* The first call in main: remembers what the program before handed over, if one did, and forbids tracing. From then on
 * SIGHUP waits for pool_run(), and SIGPIPE is ignored. */
void pool_take_over(void);

/* argv[0], or when that is only a name, where this program lies. Valid for ever. */
char *pool_program_path(char *argv0);

/* A descriptor that was handed over at this place of pool_program.keep, or -1. The caller owns it. */
int pool_kept(int place);

/* For a main that can't go on: when workers were taken over, they are looked after until the next reload or a
 * stop, rather than to end with the program. Returns the exit status: `status` when there are none, or none any more:
 * whoever started the program is to see that nobody works. */
int pool_mind(char *const *argv, int status);

#endif
