#include "ident/labels.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHY 160

static int by_key(const void *a, const void *b)
{
	const struct ident_label *const *x = a, *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

static int collision_check(const struct ident_label *const *sorted, size_t n, char why[WHY])
{
	for (size_t i = 1; i < n; i++) {
		if (strcmp(sorted[i - 1]->key, sorted[i]->key) != 0)
			continue;
		snprintf(why, WHY,
			"two labels have the key \"%s\"; a set holds each key once, "
			"whatever the source",
			ident_label_show(span_of(sorted[i]->key)).text);
		return -EEXIST;
	}
	return 0;
}

static void write_label(struct wr *to, const struct ident_label *label)
{
	wr_bytes(to, label->source, strlen(label->source));
	wr_u8(to, ':');
	wr_bytes(to, label->key, strlen(label->key));
	wr_u8(to, '=');
	wr_bytes(to, label->value, strlen(label->value));
	wr_u8(to, ';');
}

static int size_check(size_t n, char why[WHY])
{
	if (!n) {
		snprintf(why, WHY, "a label set needs at least one label");
		return -EINVAL;
	}
	if (n > IDENT_LABELS_MAX) {
		snprintf(why, WHY, "%zu labels are too many; a set may hold %d", n,
			IDENT_LABELS_MAX);
		return -E2BIG;
	}
	return 0;
}

int ident_labels_canonical(
	const struct ident_label *labels, size_t n, char **ret_text, char why[WHY])
{
	const struct ident_label *sorted[IDENT_LABELS_MAX];
	char text[IDENT_LABELS_TEXT_MAX];
	struct wr to = wr_of(text, sizeof(text));
	char *copy;
	int r = size_check(n, why);

	for (size_t i = 0; !r && i < n; i++) {
		sorted[i] = &labels[i];
		r = ident_label_check(&labels[i], why);
	}
	if (r)
		return r;
	qsort(sorted, n, sizeof(sorted[0]), by_key);
	r = collision_check(sorted, n, why);
	if (r)
		return r;

	for (size_t i = 0; i < n; i++)
		write_label(&to, sorted[i]);
	if (to.bad) {
		snprintf(why, WHY, "the labels of the set are longer than %d bytes together",
			IDENT_LABELS_TEXT_MAX);
		return -E2BIG;
	}
	copy = strndup(text, wr_len(&to));
	if (!copy) {
		snprintf(why, WHY, "out of memory");
		return -ENOMEM;
	}
	*ret_text = copy;
	return 0;
}

int ident_labels_of(const char *const *texts, size_t n, char **ret_text, char why[WHY])
{
	enum { ROOM = 512 };
	cleanup(free) struct ident_label *labels = calloc(n + 1, sizeof(*labels));
	cleanup(free) char *parts = calloc(n + 1, ROOM);
	int rc = 0;

	if (!labels || !parts) {
		snprintf(why, WHY, "out of memory");
		return -ENOMEM;
	}
	for (size_t i = 0; !rc && i < n; i++)
		rc = ident_label_parse(texts[i], parts + i * ROOM, ROOM, &labels[i], why);
	if (rc)
		return -EINVAL;
	return ident_labels_canonical(labels, n, ret_text, why);
}

/* "source:key=value", nothing left out. */
static bool split_strict(struct span text, struct ident_label_parts *ret_parts)
{
	struct ident_label_parts parts;

	if (!ident_label_cut(&text, '=', &parts.key) ||
		!ident_label_cut(&parts.key, ':', &parts.source))
		return false;
	parts.value = text;
	*ret_parts = parts;
	return true;
}

static bool sorts_before(struct span a, struct span b)
{
	int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return order ? order < 0 : a.n < b.n;
}

int ident_labels_check(const char *text)
{
	struct span rest = span_of(text);
	struct span one, last = SPAN("");
	struct ident_label_parts parts;
	size_t n = 0;

	if (rest.n > IDENT_LABELS_TEXT_MAX)
		return -E2BIG;
	while (rest.n) {
		if (!ident_label_cut(&rest, ';', &one) || !split_strict(one, &parts) ||
			ident_label_fault(&parts))
			return -EINVAL;
		if (!sorts_before(last, parts.key))
			return -EINVAL;
		if (++n > IDENT_LABELS_MAX)
			return -E2BIG;
		last = parts.key;
	}
	return n ? 0 : -EINVAL;
}

/* The next label of a canonical text with its ';', and its key. False at the end. */
static bool next_label(struct span *rest, struct span *ret_label, struct span *ret_key)
{
	struct span one = *rest;
	struct span label, source;

	if (!ident_label_cut(&one, ';', &label))
		return false;
	*ret_label = (struct span){label.p, label.n + 1};
	*rest = one;
	if (!ident_label_cut(&label, '=', ret_key) || !ident_label_cut(ret_key, ':', &source))
		return false;
	return true;
}

/* Before, on or behind: an end sorts behind everything. */
static int order_of(bool has_a, struct span a, bool has_b, struct span b)
{
	if (!has_a || !has_b)
		return (int)has_b - (int)has_a;
	return span_eq(a, b) ? 0 : sorts_before(a, b) ? -1 : 1;
}

int ident_labels_merge(struct span first, struct span second, struct wr *out)
{
	struct span label_a, label_b, a, b;
	size_t before = wr_len(out), n = 0;
	bool has_a = next_label(&first, &label_a, &a);
	bool has_b = next_label(&second, &label_b, &b);

	while (has_a || has_b) {
		int order = order_of(has_a, a, has_b, b);
		struct span label = order <= 0 ? label_a : label_b;

		wr_bytes(out, label.p, label.n);
		if (++n > IDENT_LABELS_MAX || wr_len(out) - before > IDENT_LABELS_TEXT_MAX)
			out->bad = true;
		if (order <= 0)
			has_a = next_label(&first, &label_a, &a);
		if (order >= 0)
			has_b = next_label(&second, &label_b, &b);
	}
	if (!out->bad)
		return 0;
	wr_rewind(out, before);
	return -E2BIG;
}
