/*
 * test_confine: what a confined process can do, what fails, and what kills it. A child for each.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/confine.h"
#include "scratch.h"

#define N(array) (sizeof(array) / sizeof(array)[0])

#define SERVES (CONFINE_ACCEPT | CONFINE_STORE)
#define SPOOLS (CONFINE_STORE | CONFINE_TREES)
#define SENDS CONFINE_RESOLVE

static char file[SCRATCH_PATH_MAX], folder[SCRATCH_PATH_MAX];

static int run_syscall_failed(long result)
{
    return result >= 0 ? 0 : errno;
}

/* The end of a child that confines itself and calls: its wait status; the exit status is the errno. */
static int child(unsigned work, int (*act)(void))
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        alarm(10);
        if (confine_process(work) != FAULT_NONE)
            _exit(99);
        _exit(act());
    }
    int status = 0;
    assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
    return status;
}

#define ACT(name, ...)                                                                                                 \
    static int name(void)                                                                                              \
    {                                                                                                                  \
        return run_syscall_failed(__VA_ARGS__);                                                                        \
    }

/* what only somebody who took over would do */
static char *const NO_WORDS[] = {NULL};
ACT(do_execve, syscall(SYS_execve, "/bin/true", NO_WORDS, NO_WORDS))
ACT(do_execveat, syscall(SYS_execveat, AT_FDCWD, "/bin/true", NO_WORDS, NO_WORDS, 0))
ACT(do_fork, fork())
ACT(do_clone, syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0))
ACT(do_clone_vm, syscall(SYS_clone, CLONE_VM | CLONE_FILES | SIGCHLD, 0, 0, 0, 0))
ACT(do_ptrace, syscall(SYS_ptrace, 0, 0, 0, 0))
ACT(do_vm_read, syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0))
ACT(do_vm_write, syscall(SYS_process_vm_writev, getppid(), NULL, 0, NULL, 0, 0))
ACT(do_mount, syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, NULL))
ACT(do_chroot, syscall(SYS_chroot, "/tmp"))
ACT(do_unshare, syscall(SYS_unshare, CLONE_NEWUSER))
ACT(do_setuid, syscall(SYS_setuid, 0))
ACT(do_setresuid, syscall(SYS_setresuid, 0, 0, 0))
ACT(do_setresgid, syscall(SYS_setresgid, 0, 0, 0))
ACT(do_setgroups, syscall(SYS_setgroups, 0, NULL))
ACT(do_capset, syscall(SYS_capset, NULL, NULL))
ACT(do_personality, syscall(SYS_personality, 0xffffffffu))
ACT(do_bpf, syscall(SYS_bpf, 0, NULL, 0))
ACT(do_io_uring, syscall(SYS_io_uring_setup, 1, NULL))
ACT(do_keyctl, syscall(SYS_keyctl, 0, 0, 0, 0, 0))
ACT(do_memfd, syscall(SYS_memfd_create, "x", 0))
ACT(do_userfaultfd, syscall(SYS_userfaultfd, 0))
ACT(do_perf, syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0))
ACT(do_map_code, mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0)
ACT(do_protect_code, mprotect((void *)((uintptr_t)folder & ~(uintptr_t)4095), 4096, PROT_READ | PROT_EXEC))

static void kills_what_only_an_intruder_calls(void **state)
{
    static int (*const ACTS[])(void) = {
        do_execve,  do_execveat, do_fork,      do_clone,     do_clone_vm, do_ptrace,   do_vm_read,     do_vm_write, do_mount,
        do_chroot,  do_unshare,  do_setuid,    do_setresuid, do_setresgid, do_setgroups, do_capset,    do_personality, do_bpf,
        do_io_uring, do_keyctl,  do_memfd,     do_userfaultfd, do_perf,   do_map_code, do_protect_code};
    (void)state;
    for (size_t i = 0; i < N(ACTS); i++) {
        static const unsigned PROGRAMS[] = {SERVES, SPOOLS, SENDS};
        for (size_t k = 0; k < N(PROGRAMS); k++) {
            int status = child(PROGRAMS[k], ACTS[i]);
            if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
                fail_msg("call %zu: wait status %#x", i, (unsigned)status);
        }
    }
}

/* what nobody needs, but what does no harm by itself */
ACT(do_kill_parent, kill(getppid(), 0))
ACT(do_tgkill_parent, syscall(SYS_tgkill, getppid(), getppid(), 0))
ACT(do_packet_socket, socket(AF_PACKET, SOCK_RAW, 0))
ACT(do_netfilter_socket, socket(AF_NETLINK, SOCK_RAW, 12))
ACT(do_vsock, socket(40, SOCK_STREAM, 0))
ACT(do_listen, listen(0, 1))
ACT(do_chmod, chmod(file, 0777))
ACT(do_symlink, symlink("/etc/passwd", "/tmp/never-made"))
ACT(do_link, link(file, "/tmp/never-made"))
ACT(do_ioctl, syscall(SYS_ioctl, 0, 0x5412, "x")) /* TIOCSTI */
ACT(do_prctl, syscall(SYS_prctl, 4, 1, 0, 0, 0))  /* PR_SET_DUMPABLE */
ACT(do_set_limit, setrlimit(RLIMIT_CORE, &(struct rlimit){1, 1}))
ACT(do_unknown, syscall(9999))

static void *nothing(void *arg)
{
    return arg;
}

static int do_thread(void)
{
    pthread_t thread;
    return pthread_create(&thread, NULL, nothing, NULL) == 0 ? 0 : EPERM;
}

static void refuses_what_is_not_listed(void **state)
{
    static int (*const ACTS[])(void) = {do_kill_parent, do_tgkill_parent, do_packet_socket, do_netfilter_socket, do_vsock,
                                        do_listen,      do_chmod,         do_symlink,       do_link,             do_ioctl,
                                        do_prctl,       do_set_limit,     do_unknown,       do_thread};
    (void)state;
    for (size_t i = 0; i < N(ACTS); i++) {
        int status = child(SERVES, ACTS[i]);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != EPERM)
            fail_msg("call %zu: wait status %#x", i, (unsigned)status);
    }
}

/* the pool accepts and does not rename; the spooler the other way round */
ACT(do_rename, rename(file, file))
ACT(do_rmdir, rmdir("/tmp/consign-never-made"))
ACT(do_touch, utimensat(AT_FDCWD, file, NULL, 0))
ACT(do_accept, accept4(0, NULL, NULL, 0))

static void each_program_has_its_own_list(void **state)
{
    (void)state;
    assert_int_equal(WEXITSTATUS(child(SERVES, do_rename)), EPERM);
    assert_int_equal(child(SPOOLS, do_rename), 0);
    assert_int_equal(WEXITSTATUS(child(SERVES, do_rmdir)), EPERM);
    assert_int_equal(WEXITSTATUS(child(SPOOLS, do_rmdir)), ENOENT);
    assert_int_equal(WEXITSTATUS(child(SERVES, do_touch)), EPERM);
    assert_int_equal(child(SPOOLS, do_touch), 0);
    assert_int_equal(WEXITSTATUS(child(SPOOLS, do_accept)), EPERM);
    assert_int_not_equal(WEXITSTATUS(child(SERVES, do_accept)), EPERM);
}

/* the work itself */
static int do_store(void)
{
    int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int good = fd >= 0 && write(fd, "x", 1) == 1 && fsync(fd) == 0 && close(fd) == 0 && mkdir(folder, 0700) == 0;
    return good ? 0 : errno;
}

static int do_resolve(void)
{
    struct addrinfo *list = NULL, hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    int failed = getaddrinfo("localhost", "5432", &hints, &list);
    if (failed == 0)
        freeaddrinfo(list);
    /* a name that nobody knows goes through every module of nsswitch.conf; the answer does not matter */
    (void)getaddrinfo("name.invalid", "5432", &hints, &list);
    return failed;
}

static int do_memory(void)
{
    char *big = malloc(64u << 20);
    if (big == NULL)
        return ENOMEM;
    memset(big, 1, 64u << 20);
    char *bigger = realloc(big, 128u << 20);
    int good = bigger != NULL;
    if (bigger == NULL)
        free(big);
    free(bigger);
    return good ? 0 : ENOMEM;
}

static void the_work_goes_on(void **state)
{
    (void)state;
    assert_int_equal(child(SERVES, do_store), 0);
    assert_int_equal(child(SERVES, do_resolve), 0);
    assert_int_equal(child(SPOOLS, do_resolve), 0);
    assert_int_equal(child(SERVES, do_memory), 0);
}

/* a thread that is a process of its own in part: a table of files of its own */
ACT(do_odd_thread, syscall(SYS_clone, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, 0, 0, 0, 0))
ACT(do_pair, socketpair(AF_UNIX, SOCK_STREAM, 0, (int[2]){0}))

static int do_joined_thread(void)
{
    pthread_t thread;
    int failed = pthread_create(&thread, NULL, nothing, NULL);
    return failed != 0 ? failed : pthread_join(thread, NULL);
}

static void who_sends_looks_up_names_in_threads(void **state)
{
    (void)state;
    assert_int_equal(child(SENDS, do_joined_thread), 0);
    assert_int_equal(WEXITSTATUS(child(SENDS, do_odd_thread)), EPERM);
    assert_int_equal(child(SENDS, do_pair), 0);
    assert_int_equal(WEXITSTATUS(child(SPOOLS, do_pair)), EPERM);
    assert_int_equal(WEXITSTATUS(child(SPOOLS, do_joined_thread)), EPERM);
    assert_int_equal(WEXITSTATUS(child(SENDS, do_rename)), EPERM);
    assert_int_equal(WEXITSTATUS(child(SENDS, do_accept)), EPERM);
    assert_int_equal(child(SENDS, do_resolve), 0);
}

static int do_abort(void)
{
    abort();
}

static void a_broken_invariant_still_aborts(void **state)
{
    (void)state;
    int status = child(SERVES, do_abort);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

static int begin(void **state)
{
    (void)state;
    scratch_path(file, "file");
    scratch_path(folder, "folder");
    scratch_write(file, "x", 1, 0600);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(kills_what_only_an_intruder_calls), cmocka_unit_test(refuses_what_is_not_listed),
        cmocka_unit_test(each_program_has_its_own_list),     cmocka_unit_test(the_work_goes_on),
        cmocka_unit_test(a_broken_invariant_still_aborts),   cmocka_unit_test(who_sends_looks_up_names_in_threads),
    };
#ifdef CONSIGN_SANITIZE
    puts("test_confine: skipped, a sanitizer build does not confine");
    (void)TESTS;
    (void)begin;
    return 0;
#else
    return cmocka_run_group_tests(TESTS, begin, scratch_end);
#endif
}
