/*
 * Text for a terminal. Whatever is in it came from elsewhere (a daemon that
 * repeats what a provider said), so no control byte, bad UTF-8 or character
 * that turns the direction of text is ever printed.
 */
#ifndef CTL_OUT_H
#define CTL_OUT_H

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* In place: each offending byte or character becomes one '?'. */
void ctl_out_clean(char *text, bool keep_newlines);

/* One clean line; the newline is added. */
void ctl_out_line(FILE *to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same without the newline. */
void ctl_out_text(FILE *to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * What switches a colour on, or off again; "" unless `to` is a terminal that
 * can, and the environment has no NO_COLOR.
 */
enum ctl_out_color { CTL_OUT_PLAIN, CTL_OUT_GOOD, CTL_OUT_WARN, CTL_OUT_BAD, CTL_OUT_DIM };
const char *ctl_out_color(FILE *to, enum ctl_out_color color);

/* Rows of cells under headers, columns as wide as they must be. */
struct ctl_out_table {
	const char *const *headers;
	size_t n_columns;
	char **cells; /* owned, row after row */
	size_t n_cells;
	bool bad; /* out of memory: said instead of half a table */
};

#define CTL_OUT_COLUMNS_MAX 8

/* Appends a cell; text is copied and cleaned. */
void ctl_out_cell(struct ctl_out_table *table, const char *text);

/* Prints the table; nothing at all when it has no cells. */
void ctl_out_table_print(const struct ctl_out_table *table, FILE *to);
void ctl_out_table_done(struct ctl_out_table *table);

static inline void cleanup_fn_ctl_out_table(struct ctl_out_table *table)
{
	ctl_out_table_done(table);
}

#endif
