/*
 * The command lines of the commands that ask a daemon: --socket and -o where
 * they have them, options of their own from a table, arguments behind.
 */
#ifndef CTL_OPTIONS_H
#define CTL_OPTIONS_H

#include "ctl/commands.h"

#include <stdbool.h>
#include <stddef.h>

#define CTL_OPTIONS_MAX 16
#define CTL_VALUES_MAX  16

struct ctl_option {
	const char *name; /* without the dashes */
	bool flag;        /* takes no value */
	bool many;        /* may be given up to CTL_VALUES_MAX times */
};

/* What a command line may have besides its own options. */
enum ctl_options_common {
	CTL_TAKES_SOCKET = 1, /* -s, --socket PATH */
	CTL_TAKES_OUTPUT = 2, /* -o, --output text|json */
};

/* What it said; texts are borrowed from argv. */
struct ctl_options {
	const char *socket; /* the default without --socket */
	bool json;
	/* By the row of the table: the (first) value, "" for a flag; NULL: not given. */
	const char *values[CTL_OPTIONS_MAX];
	const char *many[CTL_VALUES_MAX]; /* of the one option that may be given more than once */
	size_t n_many;
	char **rest; /* arguments, as many as were wanted */
	size_t n_rest;
};

/*
 * Reads argv; wants between least and most arguments, which what describes
 * ("one id is needed"; may be NULL when most is 0). CTL_OK, or CTL_USAGE with
 * the complaint on stderr.
 */
enum ctl_exit ctl_options_read(int argc, char **argv, const struct ctl_option *own, size_t n_own,
	unsigned common, size_t least, size_t most, const char *what, struct ctl_options *ret)
	__attribute__((warn_unused_result));

/* A whole number of lo to hi. */
bool ctl_options_number(const char *text, long long lo, long long hi, long long *ret)
	__attribute__((warn_unused_result));

#endif
