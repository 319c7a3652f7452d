#include "ctl/out.h"

#include "base/utf8.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Characters that a terminal acts on instead of showing them. */
static const struct {
	uint32_t first, last;
} UNSAFE[] = {
	{0x00, 0x1f},       /* C0 */
	{0x7f, 0x9f},       /* DEL, C1 */
	{0x061c, 0x061c},   /* Arabic letter mark */
	{0x180e, 0x180e},   /* Mongolian vowel separator */
	{0x200b, 0x200f},   /* zero width, direction marks */
	{0x2028, 0x202e},   /* separators, embeddings, overrides */
	{0x2060, 0x206f},   /* invisible operators, isolates */
	{0xfeff, 0xfeff},   /* zero width no-break space */
	{0xfff9, 0xfffb},   /* interlinear annotations */
	{0xe0000, 0xe007f}, /* tags */
};

static uint32_t code_point(const char *p, size_t len)
{
	static const uint8_t FIRST_BITS[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t c = (uint8_t)p[0] & FIRST_BITS[len];

	for (size_t i = 1; i < len; i++)
		c = c << 6 | ((uint8_t)p[i] & 0x3f);
	return c;
}

static bool is_unsafe(const char *p, size_t len)
{
	uint32_t c = code_point(p, len);

	for (size_t i = 0; i < ARRAY_SIZE(UNSAFE); i++)
		if (c >= UNSAFE[i].first && c <= UNSAFE[i].last)
			return true;
	return false;
}

void ctl_out_clean(char *text, bool keep_newlines)
{
	struct span in = span_of(text);
	char *out = text;

	while (in.n) {
		size_t len = base_utf8_next(in);
		bool newline = keep_newlines && *in.p == '\n';

		if (!len || (is_unsafe(in.p, len) && !newline)) {
			*out++ = '?';
			len = len ? len : 1;
		} else {
			memmove(out, in.p, len);
			out += len;
		}
		in.p += len;
		in.n -= len;
	}
	*out = '\0';
}

static void put(FILE *to, const char *fmt, va_list ap)
{
	cleanup(free) char *text = NULL;

	if (vasprintf(&text, fmt, ap) < 0) {
		text = NULL;
		fputs("(out of memory)", to);
		return;
	}
	ctl_out_clean(text, false);
	fputs(text, to);
}

void ctl_out_text(FILE *to, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(to, fmt, ap);
	va_end(ap);
}

void ctl_out_line(FILE *to, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(to, fmt, ap);
	va_end(ap);
	fputc('\n', to);
}

const char *ctl_out_color(FILE *to, enum ctl_out_color color)
{
	/* ECMA-48 8.3.117, SGR. */
	static const char *const CODES[] = {
		"\033[0m", "\033[32m", "\033[33m", "\033[1;31m", "\033[2m"};
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if ((no_color && *no_color) || !term || !strcmp(term, "dumb") || !isatty(fileno(to)))
		return "";
	return CODES[color];
}

void ctl_out_cell(struct ctl_out_table *table, const char *text)
{
	cleanup(free) char *copy = strdup(text);
	char **grown = NULL;

	if (copy)
		grown = reallocarray(table->cells, table->n_cells + 1, sizeof(*grown));
	if (!grown) {
		table->bad = true;
		return;
	}
	ctl_out_clean(copy, false);
	table->cells = grown;
	grown[table->n_cells++] = TAKE_PTR(copy);
}

/* Columns on the terminal: one for each character. */
static size_t width(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((uint8_t)*text & 0xc0) != 0x80;
	return n;
}

static void print_row(const char *const *cells, size_t n_columns, const size_t *widths, FILE *to)
{
	for (size_t c = 0; c < n_columns; c++) {
		bool last = c + 1 == n_columns;
		size_t fill = last ? 0 : widths[c] - width(cells[c]) + 2;

		fprintf(to, "%s%*s", cells[c], (int)fill, "");
	}
	fputc('\n', to);
}

void ctl_out_table_print(const struct ctl_out_table *table, FILE *to)
{
	size_t widths[CTL_OUT_COLUMNS_MAX];
	size_t n = table->n_columns;

	assert(n <= CTL_OUT_COLUMNS_MAX);
	if (table->bad)
		fputs("(out of memory)\n", to);
	if (table->bad || !table->n_cells)
		return;
	assert(table->n_cells % n == 0);
	for (size_t c = 0; c < n; c++)
		widths[c] = width(table->headers[c]);
	for (size_t i = 0; i < table->n_cells; i++)
		if (width(table->cells[i]) > widths[i % n])
			widths[i % n] = width(table->cells[i]);
	print_row(table->headers, n, widths, to);
	for (size_t i = 0; i < table->n_cells; i += n)
		print_row((const char *const *)table->cells + i, n, widths, to);
}

void ctl_out_table_done(struct ctl_out_table *table)
{
	for (size_t i = 0; i < table->n_cells; i++)
		free(table->cells[i]);
	free(table->cells);
	table->cells = NULL;
	table->n_cells = 0;
}
