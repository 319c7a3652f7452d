/*
 * The commands of identityctl: one table, from which the help, the completion
 * for shells and the check of the man page are made. In the text of arguments
 * every option stands as it is typed, with what follows it: a word in capitals,
 * or the words to choose from with | between them.
 */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include "ctl/commands.h"

#include <stddef.h>

struct ctl_command {
	const char *words[2]; /* the second may be NULL */
	enum ctl_exit (*run)(int argc, char **argv);
	const char *arguments;
	const char *help;
};

extern const struct ctl_command ctl_table[];
extern const size_t ctl_table_n;

#endif
