/*
 * clock: a preloaded library under which a program's real-time clock is off by what a file says, and jumps when the file
 * changes. For the fault suite (inject/clock.py); libfaketime does not do, because the programs forget their environment.
 *
 * CONSIGN_FAULT_CLOCK names the file: one int64_t, milliseconds. It is mapped when the program starts.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *offset_ms;
static int (*true_clock_gettime)(clockid_t, struct timespec *);

__attribute__((constructor)) static void clock_begin(void)
{
    const char *name = getenv("CONSIGN_FAULT_CLOCK");
    true_clock_gettime = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int file = name != NULL ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    void *at = mmap(NULL, sizeof *offset_ms, PROT_READ, MAP_SHARED, file, 0);
    if (at != MAP_FAILED)
        offset_ms = at;
    close(file);
}

int clock_gettime(clockid_t which, struct timespec *out)
{
    if (true_clock_gettime == NULL) /* asked before the constructor ran */
        true_clock_gettime = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int status = true_clock_gettime(which, out);
    if (status != 0 || offset_ms == NULL || (which != CLOCK_REALTIME && which != CLOCK_REALTIME_COARSE))
        return status;
    int64_t nanoseconds = out->tv_nsec + *offset_ms % 1000 * 1000000;
    out->tv_sec += *offset_ms / 1000 + (nanoseconds < 0 ? -1 : nanoseconds / 1000000000);
    out->tv_nsec = nanoseconds < 0 ? nanoseconds + 1000000000 : nanoseconds % 1000000000;
    return 0;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *out = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out != NULL)
        *out = now.tv_sec;
    return now.tv_sec;
}
