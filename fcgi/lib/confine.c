/*
 * confine: the lists of system calls and their way into the kernel. See confine.h.
 *
 * The lists come from strace over the integration tests and over the error paths (database stopped and
 * back, TCP with names to resolve, full disk, a broken invariant), on glibc 2.36; then what other versions
 * of glibc and kernels without a vDSO clock use in the same places. tests/integ/test_hardening.py holds the
 * workers to it.
 */
#include "lib/confine.h"

#ifdef CONSIGN_SANITIZE

enum fault confine_process(unsigned work)
{
    (void)work;
    return FAULT_NONE;
}

#else

#include <dlfcn.h>
#include <errno.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"

struct confine_group {
    unsigned work; /* 0: every worker */
    const char *const *names;
};

#define GROUP(...) ((const char *const[]){__VA_ARGS__, NULL})

/* A name that this libseccomp or this architecture does not have is passed over. */
static const struct confine_group ALLOWED[] = {
    /* malloc; mmap and mprotect only without PROT_EXEC, see below */
    {0, GROUP("brk", "munmap", "mremap", "madvise")},
    /* open connections, files and stderr; readv and writev are libpq's, OpenSSL's and glibc's */
    {0, GROUP("read", "readv", "pread64", "write", "writev", "close", "lseek", "fcntl", "poll", "ppoll", "select",
              "pselect6")},
    /* settings of name resolution and of TLS, key sets, and whether they changed */
    {0, GROUP("open", "openat", "stat", "lstat", "fstat", "newfstatat", "statx", "access", "faccessat", "faccessat2",
              "readlink", "readlinkat", "getcwd")},
    /* the database again after it was lost: unix socket or TCP; getaddrinfo asks netlink and binds for it.
     * socket itself: only the families below */
    {0, GROUP("connect", "bind", "getsockname", "getpeername", "getsockopt", "setsockopt", "sendto", "sendmsg",
              "sendmmsg", "recvfrom", "recvmsg", "shutdown")},
    /* clocks where the vDSO cannot, waits, the watchdog */
    {0, GROUP("clock_gettime", "clock_getres", "gettimeofday", "time", "clock_nanosleep", "nanosleep", "alarm",
              "setitimer", "restart_syscall")},
    /* lib/pool asks for a stop by sigtimedwait; handlers return; abort() blocks and unblocks */
    {0, GROUP("rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait", "rt_sigpending", "sigaltstack")},
    /* who and where one is: libpq's default user, log lines, OpenSSL's fork check, qsort's memory bound */
    {0, GROUP("getpid", "gettid", "getppid", "getuid", "geteuid", "getgid", "getegid", "getresuid", "getresgid",
              "getrlimit", "uname", "sysinfo", "getcpu", "sched_getaffinity")},
    /* locks inside glibc and OpenSSL, randomness */
    {0, GROUP("futex", "rseq", "set_robust_list", "membarrier", "sched_yield", "getrandom")},
    {0, GROUP("exit", "exit_group")},

    {CONFINE_ACCEPT, GROUP("accept", "accept4", "epoll_ctl", "epoll_pwait", "epoll_pwait2")},
    /* an upload into the inbox, and its lock; part files and manifests */
    {CONFINE_STORE, GROUP("fsync", "fdatasync", "sync_file_range", "sync_file_range2", "mkdir", "mkdirat", "unlink", "unlinkat",
                          "flock")},
    /* a batch published, an attempt or an inbox folder swept */
    {CONFINE_TREES, GROUP("rename", "renameat", "renameat2", "rmdir", "getdents64", "utimensat", "utimensat_time64")},
};

static const char *const KILLED[] = {
    /* another program, another process */
    "execve", "execveat", "fork", "vfork",
    /* other processes */
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "pidfd_getfd",
    /* another identity */
    "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setfsuid", "setfsgid", "setgroups",
    "capset", "personality",
    /* another view of the system */
    "mount", "umount2", "pivot_root", "chroot", "unshare", "setns", "move_mount", "open_tree", "fsopen", "fsmount",
    "mount_setattr", "open_by_handle_at", "swapon", "swapoff",
    /* code from memory */
    "memfd_create", "memfd_secret", "remap_file_pages",
    /* doors into the kernel that the work has no use for, and that its exploits like */
    "bpf", "io_uring_setup", "io_uring_enter", "io_uring_register", "keyctl", "add_key", "request_key", "userfaultfd",
    "perf_event_open", "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "iopl",
    "ioperm", "modify_ldt", "reboot", NULL,
};

/* A condition on an argument: the bits in `mask` are `value`. */
static struct scmp_arg_cmp confine_bits(unsigned argument, uint64_t mask, uint64_t value)
{
    return (struct scmp_arg_cmp){argument, SCMP_CMP_MASKED_EQ, mask, value};
}

static bool confine_rule(scmp_filter_ctx filter, uint32_t action, const char *name, unsigned count,
                         const struct scmp_arg_cmp *arguments)
{
    int number = seccomp_syscall_resolve_name(name);
    /* a number below zero: known by name, but not on this architecture */
    return number < 0 || seccomp_rule_add_array(filter, action, number, count, arguments) == 0;
}

static bool confine_when(scmp_filter_ctx filter, uint32_t action, const char *name, struct scmp_arg_cmp argument)
{
    return confine_rule(filter, action, name, 1, &argument);
}

static bool confine_names(scmp_filter_ctx filter, uint32_t action, const char *const *names)
{
    bool good = true;
    for (; good && *names != NULL; names++)
        good = confine_rule(filter, action, *names, 0, NULL);
    return good;
}

/* SECURITY: of int arguments only the low half counts; the kernel does not look at the rest, so neither may we. */
static bool confine_sockets(scmp_filter_ctx filter)
{
    static const uint64_t FAMILIES[] = {AF_UNIX, AF_INET, AF_INET6};
    /* getaddrinfo asks for the machine's addresses; no other protocol of netlink */
    const struct scmp_arg_cmp netlink[] = {confine_bits(0, UINT32_MAX, AF_NETLINK), confine_bits(2, UINT32_MAX, 0)};
    bool good = confine_rule(filter, SCMP_ACT_ALLOW, "socket", 2, netlink);
    for (size_t i = 0; i < sizeof FAMILIES / sizeof *FAMILIES; i++)
        good = good && confine_when(filter, SCMP_ACT_ALLOW, "socket", confine_bits(0, UINT32_MAX, FAMILIES[i]));
    return good;
}

/* A thread as pthread_create() makes it and no other: with all that it shares with the process, so in no way another one. */
static bool confine_threads(scmp_filter_ctx filter)
{
    static const uint64_t FLAGS = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | CLONE_SIGHAND | CLONE_THREAD |
                                  CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
    return confine_when(filter, SCMP_ACT_ALLOW, "clone", confine_bits(0, UINT64_MAX, FLAGS)) &&
           confine_when(filter, SCMP_ACT_ALLOW, "socketpair", confine_bits(0, UINT32_MAX, AF_UNIX));
}

/* SECURITY: calls that are as good as their arguments. */
static bool confine_arguments(scmp_filter_ctx filter)
{
    static const char *const MAPS[] = {"mmap", "mprotect", "pkey_mprotect"};
    bool good = true;
    for (size_t i = 0; i < sizeof MAPS / sizeof *MAPS; i++)
        good = good && confine_when(filter, SCMP_ACT_KILL_PROCESS, MAPS[i], confine_bits(2, PROT_EXEC, PROT_EXEC)) &&
               confine_when(filter, SCMP_ACT_ALLOW, MAPS[i], confine_bits(2, PROT_EXEC, 0));
    /* a thread fails with EPERM like anything that is not listed; clone3 hides its flags behind an address, and
     * glibc falls back to clone where the kernel does not know it */
    return good && confine_when(filter, SCMP_ACT_KILL_PROCESS, "clone", confine_bits(0, CLONE_THREAD, 0)) &&
           confine_rule(filter, SCMP_ACT_ERRNO(ENOSYS), "clone3", 0, NULL) &&
           /* abort(): a signal to oneself, to nobody else */
           confine_when(filter, SCMP_ACT_ALLOW, "tgkill", confine_bits(0, UINT32_MAX, (uint64_t)getpid())) &&
           /* how long the answer of a name server is */
           confine_when(filter, SCMP_ACT_ALLOW, "ioctl", confine_bits(1, UINT32_MAX, FIONREAD)) &&
           /* limits may be read, not set */
           confine_when(filter, SCMP_ACT_ALLOW, "prlimit64", confine_bits(2, UINT64_MAX, 0));
}

/* Name resolution loads its modules (nsswitch.conf) when it first asks them, and after this no code can be
 * loaded. One that is missing is missing for glibc too. */
static void confine_load_names(void)
{
    FILE *file = fopen("/etc/nsswitch.conf", "re");
    char line[1024], library[128];
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        char *rest = NULL, *word = strtok_r(line, ": \t\n", &rest);
        if (word == NULL || (strcmp(word, "hosts") != 0 && strcmp(word, "passwd") != 0))
            continue;
        while ((word = strtok_r(NULL, " \t\n", &rest)) != NULL && *word != '#') {
            bool plain = word[strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
            if (plain && snprintf(library, sizeof library, "libnss_%s.so.2", word) < (int)sizeof library)
                (void)dlopen(library, RTLD_NOW); /* kept open on purpose */
        }
    }
    if (file != NULL)
        fclose(file);
}

static bool confine_fill(scmp_filter_ctx filter, unsigned work)
{
    /* a program of another architecture's numbering is nobody we know */
    bool good = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0 &&
                confine_names(filter, SCMP_ACT_KILL_PROCESS, KILLED) && confine_sockets(filter) &&
                confine_arguments(filter) && ((work & CONFINE_RESOLVE) == 0 || confine_threads(filter));
    for (size_t i = 0; i < sizeof ALLOWED / sizeof *ALLOWED; i++) {
        if (ALLOWED[i].work == 0 || (ALLOWED[i].work & work) != 0)
            good = good && confine_names(filter, SCMP_ACT_ALLOW, ALLOWED[i].names);
    }
    return good;
}

enum fault confine_process(unsigned work)
{
    confine_load_names();
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    bool good = filter != NULL && confine_fill(filter, work);
    int status = good ? seccomp_load(filter) : -ENOMEM;
    seccomp_release(filter);
    if (status == 0)
        return FAULT_NONE;
    log_event(LOG_ERROR, "confine", "reason=\"%s\"", strerror(-status));
    return FAULT_INTERNAL;
}

#endif
