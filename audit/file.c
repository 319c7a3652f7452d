#include "audit/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>

void audit_file_init(struct audit_file *file, const char *path, uint64_t max_bytes, unsigned keep)
{
	*file = (struct audit_file){
		.path = path,
		.max_bytes = max_bytes,
		.keep = keep,
		.fd = path ? -1 : STDOUT_FILENO,
	};
}

void audit_file_done(struct audit_file *file)
{
	if (file->path && file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

void audit_file_reopen(struct audit_file *file)
{
	if (file->path)
		audit_file_done(file);
}

static int open_file(struct audit_file *file)
{
	cleanup(fd) int fd = open(file->path,
		O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
		0640);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	/* A pipe or a device would let us wait, or swallow what should be kept. */
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	file->bytes = (uint64_t)st.st_size;
	file->fd = TAKE_FD(fd);
	return 0;
}

int64_t audit_file_write(struct audit_file *file, const char *p, size_t n, int wait_ms)
{
	struct pollfd to = {.fd = file->fd, .events = POLLOUT};
	ssize_t took;
	int rc;

	if (file->fd < 0) {
		rc = open_file(file);
		if (rc)
			return rc;
	}
	/* Standard output may be a pipe: one that is writable takes PIPE_BUF without waiting. */
	if (!file->path) {
		if (poll(&to, 1, wait_ms) != 1)
			return -EAGAIN;
		n = n > PIPE_BUF ? PIPE_BUF : n;
	}
	took = write(file->fd, p, n);
	if (took < 0)
		return -errno;
	file->bytes += (uint64_t)took;
	return took;
}

/* PATH.n-1 becomes PATH.n; one that is not there is no failure. */
static int shift(const struct audit_file *file, unsigned n)
{
	char from[PATH_MAX], to[PATH_MAX];

	if (n == 1)
		snprintf(from, sizeof(from), "%s", file->path);
	else
		snprintf(from, sizeof(from), "%s.%u", file->path, n - 1);
	snprintf(to, sizeof(to), "%s.%u", file->path, n);
	return rename(from, to) && errno != ENOENT ? -errno : 0;
}

int audit_file_rotate(struct audit_file *file)
{
	int rc = 0;

	if (!file->path || file->fd < 0 || !file->max_bytes || file->bytes < file->max_bytes)
		return 0;
	for (unsigned n = file->keep; n && !rc; n--)
		rc = shift(file, n);
	if (!rc && !file->keep && unlink(file->path))
		rc = -errno;
	/* A file that cannot be renamed grows on: lines are worth more than its size. */
	if (!rc)
		audit_file_reopen(file);
	return rc;
}
