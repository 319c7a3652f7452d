/*
 * The input is text, one label a line. Whatever it says: what the parser takes
 * and the writer writes passes the check, does not depend on the order, and
 * what passes the check is exactly what the writer writes.
 */
#include "ident/labels.h"
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <string.h>

#define PARTS 512

struct set {
	struct ident_label labels[IDENT_LABELS_MAX + 1];
	char parts[IDENT_LABELS_MAX + 1][PARTS];
	size_t n;
};

/* As many labels as the text holds; one past the cap, so that the cap is met too. */
static void read_set(struct set *set, char *text, const char *separator)
{
	char why[160];
	char *one;

	set->n = 0;
	while ((one = strsep(&text, separator)) && set->n <= IDENT_LABELS_MAX) {
		int r = ident_label_parse(
			one, set->parts[set->n], PARTS, &set->labels[set->n], why);

		FUZZ_CHECK(r == 0 || r == -EINVAL || r == -ENAMETOOLONG);
		FUZZ_CHECK(!r || memchr(why, 0, sizeof(why)));
		set->n += !r;
	}
}

static char *write_set(struct set *set)
{
	char *text = NULL;
	char why[160];
	int r = ident_labels_canonical(set->labels, set->n, &text, why);

	FUZZ_CHECK(!r == !!text);
	FUZZ_CHECK(r == 0 || r == -EINVAL || r == -EEXIST || r == -E2BIG);
	return text;
}

static void reverse(struct set *set)
{
	for (size_t i = 0; i < set->n / 2; i++) {
		struct ident_label swap = set->labels[i];

		set->labels[i] = set->labels[set->n - 1 - i];
		set->labels[set->n - 1 - i] = swap;
	}
}

static void try_lines(char *text)
{
	static struct set set;

	read_set(&set, text, "\n");
	cleanup(free) char *one = write_set(&set);
	reverse(&set);
	cleanup(free) char *two = write_set(&set);

	FUZZ_CHECK(!one == !two);
	FUZZ_CHECK(!one || (!strcmp(one, two) && !ident_labels_check(one)));
}

static void try_canonical(char *text)
{
	static struct set set;
	cleanup(free) char *copy = strdup(text);
	size_t n = 0;

	if (!copy || ident_labels_check(text) != 0)
		return;
	for (const char *p = text; (p = strchr(p, ';')); p++)
		n++;
	read_set(&set, copy, ";");
	if (set.n != n) /* a source that operators may not write, or one too long for PARTS */
		return;
	cleanup(free) char *again = write_set(&set);

	FUZZ_CHECK(again && !strcmp(again, text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Exactly as large as the text, so that a sanitizer sees a read past its NUL. */
	cleanup(free) char *text = strndup((const char *)data, size);

	if (!text)
		return 0;
	try_canonical(text);
	try_lines(text);
	return 0;
}
