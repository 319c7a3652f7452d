#include "ctl/args.h"

#include "ctl/out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void complain(const char *name, const char *fmt, va_list ap)
{
	cleanup(free) char *text = NULL;

	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	ctl_out_line(stderr, "%s: %s", name, text ? text : "out of memory");
}

void ctl_args_complain(const char *name, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(name, fmt, ap);
	va_end(ap);
}

enum ctl_exit ctl_args_usage(const char *name, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(name, fmt, ap);
	va_end(ap);
	fputs("Try 'identityctl --help'.\n", stderr);
	return CTL_USAGE;
}

static const struct {
	const char *suffix;
	int64_t seconds;
} UNITS[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};

int ctl_args_duration(const char *text, int64_t *ret_s)
{
	const char *digits = *text == '-' ? text + 1 : text;
	char *end;
	long long n;

	if (*digits < '0' || *digits > '9')
		return -EINVAL; /* strtoll would skip blanks and take a second sign */
	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(UNITS); i++) {
		int64_t seconds;

		if (strcmp(end, UNITS[i].suffix))
			continue;
		if (__builtin_mul_overflow(n, UNITS[i].seconds, &seconds))
			return -EINVAL;
		*ret_s = seconds;
		return 0;
	}
	return -EINVAL;
}

int ctl_args_read_file(const char *path, size_t max, char **ret_data, size_t *ret_n)
{
	cleanup(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	cleanup(free) char *data = NULL;
	size_t n = 0;

	if (fd < 0)
		return -errno;
	data = malloc(max + 1);
	if (!data)
		return -ENOMEM;
	for (;;) {
		ssize_t got = read(fd, data + n, max + 1 - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		n += (size_t)got;
		if (n > max)
			return -EFBIG;
	}
	data[n] = '\0';
	*ret_data = TAKE_PTR(data);
	*ret_n = n;
	return 0;
}

void ctl_args_wipe(char *data, size_t n)
{
	if (data)
		explicit_bzero(data, n);
	free(data);
}
