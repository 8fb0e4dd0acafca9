/*
 * invariant: the end of a process that found itself wrong. See invariant.h.
 */
#include "lib/invariant.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

_Noreturn void invariant_broken(const char *condition, const char *file, int line)
{
    dprintf(STDERR_FILENO, "level=error event=invariant pid=%d condition=\"%s\" at=%s:%d\n", (int)getpid(), condition,
            file, line);
    abort();
}
