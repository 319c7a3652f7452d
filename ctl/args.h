/* What the command lines have in common. */
#ifndef CTL_ARGS_H
#define CTL_ARGS_H

#include "base/mem.h"
#include "ctl/commands.h"

#include <stddef.h>
#include <stdint.h>

/* One complaint on stderr, "NAME: text", without control bytes. */
void ctl_args_complain(const char *name, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The same, with a pointer to --help; returns CTL_USAGE. */
enum ctl_exit ctl_args_usage(const char *name, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* "300", "300s", "5m", "2h", "1d"; negative too. Seconds into *ret_s; 0 or -EINVAL. */
int ctl_args_duration(const char *text, int64_t *ret_s) must_check;

/*
 * A whole file of at most max bytes, NUL-terminated (malloc, the caller's; may
 * hold secrets, so end it with ctl_args_wipe). 0 or -errno; -EFBIG.
 */
int ctl_args_read_file(const char *path, size_t max, char **ret_data, size_t *ret_n) must_check;
void ctl_args_wipe(char *data, size_t n);

#endif
