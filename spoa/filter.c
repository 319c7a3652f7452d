#include "spoa/filter.h"

#include "spoa/log.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

/* By what needs them. One that this architecture does not have is left out. */
/* clang-format off */
static const char *const ALLOWED[] = {
	/* descriptors */
	"read", "write", "readv", "writev", "pread64", "pwrite64", "lseek", "close",
	"close_range", "dup", "dup2", "dup3", "fcntl", "ioctl", "pipe2", "eventfd2", "flock",
	/* files: configuration, keys, store, audit, maps */
	"open", "openat", "stat", "fstat", "lstat", "newfstatat", "statx", "statfs", "fstatfs",
	"access", "faccessat", "faccessat2", "readlink", "readlinkat", "getdents64", "getcwd",
	"rename", "renameat", "renameat2", "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir",
	"ftruncate", "fallocate", "fsync", "fdatasync", "chmod", "fchmod", "fchmodat",
	"fchown", "chown", "fchownat", "umask", "utimensat", "fadvise64", "linkat", "link",
	/* sockets */
	"socket", "socketpair", "connect", "bind", "listen", "accept", "accept4",
	"getsockname", "getpeername", "setsockopt", "getsockopt", "sendto", "recvfrom",
	"sendmsg", "recvmsg", "sendmmsg", "recvmmsg", "shutdown",
	/* waiting */
	"epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait",
	"epoll_pwait2", "poll", "ppoll", "select", "pselect6", "timerfd_create",
	"timerfd_settime", "inotify_init1", "inotify_add_watch", "inotify_rm_watch",
	"nanosleep", "clock_nanosleep",
	/* memory */
	"mmap", "munmap", "mprotect", "mremap", "madvise", "brk", "mincore", "membarrier",
	/* threads */
	"clone", "clone3", "futex", "set_robust_list", "set_tid_address", "rseq",
	"sched_yield", "sched_getaffinity", "gettid", "getpid", "getppid", "exit",
	"exit_group", "tgkill",
	/* signals */
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait", "sigaltstack",
	"restart_syscall", "signalfd4",
	/* who and when */
	"getuid", "geteuid", "getgid", "getegid", "getgroups", "getresuid", "getresgid",
	"capget", "clock_gettime", "clock_getres", "gettimeofday", "time", "times",
	"getrandom", "uname", "sysinfo", "getrusage", "prlimit64", "getrlimit", "prctl",
	"arch_prctl",
	/* the pinned maps */
	"bpf",
};
/* clang-format on */

#define LINES_MAX 32 /* of what was refused: enough to see what is wrong */

#if defined(__x86_64__)
#define RESULT(context) ((context)->uc_mcontext.gregs[REG_RAX])
#elif defined(__aarch64__)
#define RESULT(context) ((context)->uc_mcontext.regs[0])
#else
#error "where this architecture keeps a system call's result is not known"
#endif

/* On the thread that made the call, at the call: nothing of ours is half done. */
static void on_refused(int signal, siginfo_t *info, void *arg)
{
	static atomic_uint lines;
	ucontext_t *context = arg;
	struct base_log log;
	char *name;

	(void)signal;
	RESULT(context) = -EPERM;
	if (atomic_fetch_add(&lines, 1) >= LINES_MAX ||
		!spoa_log_open(&log, BASE_LOG_ERROR, "syscall_refused"))
		return;
	name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, info->si_syscall);
	base_log_str(&log, "name", name ? name : "unknown");
	base_log_int(&log, "number", info->si_syscall);
	spoa_log_close(&log);
	free(name);
}

static void release(void *context)
{
	if (context)
		seccomp_release(context);
}
DEFINE_CLEANUP(filter, void *, release)

int spoa_filter_install(enum spoa_filter_mode mode)
{
	const struct sigaction action = {.sa_sigaction = on_refused, .sa_flags = SA_SIGINFO};
	cleanup(filter) void *context = NULL;
	int err = 0;

	if (mode == SPOA_FILTER_OFF)
		return 0;
	context = seccomp_init(mode == SPOA_FILTER_LOG ? SCMP_ACT_LOG : SCMP_ACT_TRAP);
	if (!context)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(ALLOWED) && !err; i++) {
		int number = seccomp_syscall_resolve_name(ALLOWED[i]);

		if (number >= 0)
			err = seccomp_rule_add(context, SCMP_ACT_ALLOW, number, 0);
	}
	if (!err && sigaction(SIGSYS, &action, NULL))
		err = -errno;
	return err ? err : seccomp_load(context);
}
