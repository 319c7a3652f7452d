/*
 * Ownership that can be checked inside one function.
 *
 * A local that owns something carries a cleanup attribute and starts at NULL
 * or -1. What leaves the function is spelled TAKE_PTR or TAKE_FD.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define must_check __attribute__((warn_unused_result))

/* Hands the pointer to the caller and leaves NULL behind for the cleanup. */
#define TAKE_PTR(p)                                                                                \
	__extension__({                                                                            \
		__auto_type take_ptr_ = (p);                                                       \
		(p) = NULL;                                                                        \
		take_ptr_;                                                                         \
	})

/* The same for a descriptor; -1 stays behind. */
#define TAKE_FD(fd)                                                                                \
	__extension__({                                                                            \
		int take_fd_ = (fd);                                                               \
		(fd) = -1;                                                                         \
		take_fd_;                                                                          \
	})

/* Defines the cleanup function of an owned pointer type: cleanup_NAME. */
#define DEFINE_CLEANUP(name, type, destroy)                                                        \
	static inline void cleanup_fn_##name(type *p)                                              \
	{                                                                                          \
		destroy(*p);                                                                       \
	}

#define cleanup(name) __attribute__((cleanup(cleanup_fn_##name)))

static inline void cleanup_fn_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_fn_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
