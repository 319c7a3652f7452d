/*
 * The system calls that the daemon may make (seccomp). Whatever gets hold of
 * it can do with the kernel only what the daemon itself does.
 */
#ifndef SPOA_FILTER_H
#define SPOA_FILTER_H

#include "base/mem.h"

/* In the order of the words of conf's key seccomp. */
enum spoa_filter_mode {
	SPOA_FILTER_ENFORCE, /* others fail with EPERM, and are logged */
	SPOA_FILTER_LOG,     /* others succeed; the kernel's audit log names them */
	SPOA_FILTER_OFF,
};

/*
 * For this thread and those that it starts; once, for good, with no_new_privs
 * set before. 0 or -errno: -EINVAL this kernel has no seccomp.
 */
int spoa_filter_install(enum spoa_filter_mode mode) must_check;

#endif
