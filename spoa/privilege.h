/*
 * What the process may do: as little as possible. It parses what strangers
 * send, so it holds no capability (promise 9) and leaves no core file.
 */
#ifndef SPOA_PRIVILEGE_H
#define SPOA_PRIVILEGE_H

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SPOA_PRIVILEGE_WHY 200
#define SPOA_GROUPS_MAX    16

struct spoa_user {
	uid_t uid;
	gid_t gid;
	gid_t groups[SPOA_GROUPS_MAX]; /* supplementary */
	size_t n_groups;
};

/*
 * "USER[:GROUP[,GROUP...]]", names or numbers. Without groups, those of the
 * user in the system's databases. 0, or -EINVAL with a sentence in why.
 */
int spoa_privilege_user(
	const char *text, struct spoa_user *ret_user, char why[SPOA_PRIVILEGE_WHY]) must_check;

/*
 * Becomes that user (NULL: stays who it is), gives up every capability for
 * good, and refuses to go on as root or with a capability left.
 * 0, or -EPERM with a sentence in why.
 */
int spoa_privilege_drop(const struct spoa_user *user, char why[SPOA_PRIVILEGE_WHY]) must_check;

/*
 * Raises the soft limit of open files as far as the hard one allows. Returns
 * what it is then.
 */
size_t spoa_privilege_files(void);

/* No core files, no attaching by the same user, nothing new by exec. 0 or -errno. */
int spoa_privilege_harden(void) must_check;

#endif
