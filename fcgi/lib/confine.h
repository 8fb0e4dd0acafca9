/*
 * confine: the system calls that a worker may still make. Both programs' workers call it once, when all
 * they hold for life is open and before they read the first byte from outside.
 *
 * Three answers (confine.c has the lists, each group with the reason why it is there):
 *   - what the work needs is allowed;
 *   - what only somebody who took the process over would try (a new program or process, executable
 *     memory, another identity, other processes' memory, mounts, kernel interfaces) kills the process:
 *     the supervisor's log says worker_ended signal=31 (SIGSYS) and the slot is filled anew;
 *   - everything else fails with EPERM, and nothing logs it.
 * There is no setting to switch it off. It cannot be taken back, and a process started from here would
 * have it too, but none can be started.
 */
#ifndef CONSIGN_LIB_CONFINE_H
#define CONSIGN_LIB_CONFINE_H

#include "lib/fault.h"

/* What a worker does beside reading files, speaking to the database and logging, which all of them may. */
enum confine_work {
    CONFINE_ACCEPT = 1, /* takes connections from a listening socket that exists */
    CONFINE_STORE = 2,  /* makes and removes files and makes directories */
    CONFINE_TREES = 4,  /* with CONFINE_STORE: lists, locks, renames and removes directories */
    CONFINE_RESOLVE = 8 /* libcurl looks up names in threads, which wake it by a pair of sockets */
};

/* Confines this process for good; `work` is a sum of enum confine_work. FAULT_INTERNAL, with a line in the
 * log, when the kernel does not take the list; the caller must not go on. Needs Linux 4.14. In builds with
 * CONSIGN_SANITIZE it does nothing: the sanitizers' own calls are not ours to list. */
enum fault confine_process(unsigned work) MUST_CHECK;

#endif
