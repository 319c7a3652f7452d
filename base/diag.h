/*
 * Positioned complaints about a text that somebody wrote: collected, so that
 * one run names every mistake, and printed as FILE:LINE:COLUMN: text.
 */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include <stddef.h>
#include <stdio.h>

/* Past this many a file is not worth more lines; the count goes on. */
#define BASE_DIAG_MAX 100

struct base_diag_item {
	unsigned line;   /* from 1; 0: the file as a whole */
	unsigned column; /* from 1, in bytes */
	char text[224];
};

struct base_diag {
	char file[256];
	struct base_diag_item *items;
	size_t n_items; /* stored: at most BASE_DIAG_MAX */
	size_t n_found; /* found in all; 0 means the text is good */
};

/* file is copied. The diag owns its items: end with base_diag_done. */
void base_diag_init(struct base_diag *d, const char *file);
void base_diag_done(struct base_diag *d);

/* Never fails: without memory the complaint is counted and not stored. */
void base_diag_add(struct base_diag *d, unsigned line, unsigned column, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* One line each, sorted by position. */
void base_diag_print(const struct base_diag *d, FILE *to);

#endif
