/*
 * Where lines go: a file that is rotated by size, or standard output. Whole
 * buffers in, no line is ever cut; when the disk takes nothing, the caller
 * keeps the rest and comes again.
 */
#ifndef AUDIT_FILE_H
#define AUDIT_FILE_H

#include "base/mem.h"

#include <stddef.h>
#include <stdint.h>

struct audit_file {
	const char *path;   /* NULL: standard output */
	uint64_t max_bytes; /* rotate when it is this large; 0: never */
	unsigned keep;      /* old files: PATH.1 is the newest */
	int fd;             /* -1: not open */
	uint64_t bytes;     /* in the file */
};

void audit_file_init(struct audit_file *file, const char *path, uint64_t max_bytes, unsigned keep);
void audit_file_done(struct audit_file *file);

/*
 * Writes some of p, n bytes, opening the file (0640, appending) when it is not
 * open. Returns how many were taken, or -errno; -EAGAIN: standard output did
 * not take anything for wait_ms.
 */
int64_t audit_file_write(struct audit_file *file, const char *p, size_t n, int wait_ms) must_check;

/* After a whole number of lines: rotates if the file is large enough. 0 or -errno. */
int audit_file_rotate(struct audit_file *file) must_check;

/* The file may have been renamed by others: the next write opens the path again. */
void audit_file_reopen(struct audit_file *file);

#endif
