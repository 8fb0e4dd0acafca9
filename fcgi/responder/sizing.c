/*
 * sizing: how many of something a machine of so many cores gets. See sizing.h.
 */
#include "responder/sizing.h"

#include <sched.h>

#define SIZING_PER_CORE 4
#define SIZING_MOST 64
#define SIZING_ORG_RATE_PER_CORE 500

int sizing_cores(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    /* fails on a machine of more than 1024 cores: then what is most is right */
    int cores = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : SIZING_MOST;
    return cores > 0 ? cores : 1;
}

int sizing_workers(int64_t setting, int cores)
{
    if (setting > 0)
        return (int)setting;
    return cores < SIZING_MOST / SIZING_PER_CORE ? cores * SIZING_PER_CORE : SIZING_MOST;
}

int64_t sizing_org_rate(int64_t setting, int cores)
{
    return setting > 0 ? setting : (int64_t)cores * SIZING_ORG_RATE_PER_CORE;
}

int sizing_waiting(int workers)
{
    return (workers + 2) / 4;
}
