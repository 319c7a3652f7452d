#include "tests/unit/ctl/program.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MAX 40
#define FILES_MAX     4

static char files[FILES_MAX][64];
static unsigned n_files;

static int run_with(const char *const *arguments, int out, int err)
{
	char *argv[ARGUMENTS_MAX + 2] = {(char *)IDENTITYCTL};
	int status;
	pid_t pid;

	for (int i = 0; arguments[i]; i++) {
		ck_assert_int_lt(i, ARGUMENTS_MAX);
		argv[i + 1] = (char *)arguments[i];
	}
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		dup2(out, 1);
		dup2(err, 2);
		execv(argv[0], argv);
		_exit(127);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status), "killed by a signal");
	return WEXITSTATUS(status);
}

static void read_back(int fd, char *buf, size_t size)
{
	ssize_t n = pread(fd, buf, size - 1, 0);

	ck_assert_int_ge(n, 0);
	buf[n] = '\0';
	close(fd);
}

void program_run(const char *const *arguments, struct program_result *ret_result)
{
	int out = memfd_create("out", MFD_CLOEXEC);
	int err = memfd_create("err", MFD_CLOEXEC);

	ret_result->code = run_with(arguments, out, err);
	read_back(out, ret_result->out, sizeof(ret_result->out));
	read_back(err, ret_result->err, sizeof(ret_result->err));
}

int program_run_full(const char *const *arguments)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	int code = run_with(arguments, full, null);

	close(full);
	close(null);
	return code;
}

const char *program_file(const char *content)
{
	char *name = files[n_files % FILES_MAX];
	FILE *f;

	snprintf(name, sizeof(files[0]), "/tmp/unit_ctl.%d.%u", (int)getpid(), n_files++);
	f = fopen(name, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(content, f), 0);
	ck_assert_int_eq(fclose(f), 0);
	return name;
}

void program_files_done(void)
{
	char name[64];

	while (n_files) {
		snprintf(name, sizeof(name), "/tmp/unit_ctl.%d.%u", (int)getpid(), --n_files);
		unlink(name);
	}
}
