#include "spoa/filter.h"

#include "tests/unit/spoa/suites.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs body behind the filter in a process of its own; its exit status. */
static int behind(enum spoa_filter_mode mode, int (*body)(int arg), int arg)
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (!pid) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || spoa_filter_install(mode))
			_exit(99);
		_exit(body(arg));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Calls that no daemon of ours makes. */
static const long STRANGE[] = {SYS_ptrace, SYS_mount, SYS_execve, SYS_unshare, SYS_swapon,
	SYS_init_module, SYS_process_vm_readv, SYS_keyctl, SYS_perf_event_open};

static int make_strange(int i)
{
	return syscall(STRANGE[i], -1, 0, 0, 0, 0) == -1 && errno == EPERM ? 0 : 1;
}

START_TEST(refuses)
{
	/* Goal: what is not on the list fails with EPERM, and the process goes on. */
	ck_assert_int_eq(behind(SPOA_FILTER_ENFORCE, make_strange, _i), 0);
}
END_TEST

static void *unshare_nothing(void *arg)
{
	(void)arg;
	return syscall(SYS_unshare, 0) == -1 && errno == EPERM ? NULL : (void *)1;
}

static int start_thread(int arg)
{
	void *failed = (void *)1;
	pthread_t thread;

	(void)arg;
	return pthread_create(&thread, NULL, unshare_nothing, NULL) ||
	       pthread_join(thread, &failed) || failed;
}

START_TEST(threads_too)
{
	/* Goal: a thread that is started afterwards has the same filter. */
	ck_assert_int_eq(behind(SPOA_FILTER_ENFORCE, start_thread, 0), 0);
}
END_TEST

static int write_nowhere(int strange_too)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0 || write(fd, "x", 1) != 1 || close(fd))
		return 1;
	return strange_too && syscall(SYS_unshare, 0) ? 2 : 0;
}

START_TEST(allows)
{
	/* Goal: ordinary calls work in every mode; log and off refuse nothing. */
	ck_assert_int_eq(
		behind((enum spoa_filter_mode)_i, write_nowhere, _i != SPOA_FILTER_ENFORCE), 0);
}
END_TEST

Suite *suite_filter(void)
{
	Suite *suite = suite_create("filter");
	TCase *tcase = tcase_create("filter");

	tcase_add_loop_test(tcase, refuses, 0, ARRAY_SIZE(STRANGE));
	tcase_add_test(tcase, threads_too);
	tcase_add_loop_test(tcase, allows, 0, SPOA_FILTER_OFF + 1);
	suite_add_tcase(suite, tcase);
	return suite;
}
