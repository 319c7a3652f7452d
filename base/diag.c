#include "base/diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void base_diag_init(struct base_diag *d, const char *file)
{
	*d = (struct base_diag){0};
	snprintf(d->file, sizeof(d->file), "%s", file);
}

void base_diag_done(struct base_diag *d)
{
	free(d->items);
	d->items = NULL;
	d->n_items = 0;
}

void base_diag_add(struct base_diag *d, unsigned line, unsigned column, const char *fmt, ...)
{
	d->n_found++;
	if (d->n_items == BASE_DIAG_MAX)
		return;
	if (!d->items)
		d->items = calloc(BASE_DIAG_MAX, sizeof(*d->items));
	if (!d->items)
		return;

	struct base_diag_item *item = &d->items[d->n_items++];
	va_list ap;

	item->line = line;
	item->column = column;
	va_start(ap, fmt);
	vsnprintf(item->text, sizeof(item->text), fmt, ap);
	va_end(ap);
}

static int by_position(const void *a, const void *b)
{
	const struct base_diag_item *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	return 0;
}

void base_diag_print(const struct base_diag *d, FILE *to)
{
	if (d->n_items > 1)
		qsort(d->items, d->n_items, sizeof(*d->items), by_position);
	for (size_t i = 0; i < d->n_items; i++) {
		const struct base_diag_item *item = &d->items[i];

		if (item->line)
			fprintf(to, "%s:%u:%u: %s\n", d->file, item->line, item->column,
				item->text);
		else
			fprintf(to, "%s: %s\n", d->file, item->text);
	}
	if (d->n_found > d->n_items)
		fprintf(to, "%s: and %zu more\n", d->file, d->n_found - d->n_items);
}
