#include "ident/labels.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHY            160
#define KEY_PREFIX_MAX 253 /* Kubernetes: a DNS subdomain */
#define KEY_NAME_MAX   63
#define SHOWN          48 /* bytes of somebody's text in a sentence */

/* Labels that only Cilium itself gives out, or that mean something else than they say. */
static const struct {
	const char *source;
	const char *why;
} REFUSED_SOURCES[] = {
	{"reserved", "belongs to Cilium's own identities"},
	{"cidr", "belongs to Cilium's address ranges"},
	{"cidrgroup", "belongs to Cilium's address ranges"},
	{"fqdn", "belongs to Cilium's DNS names"},
	{"any", "is a wildcard of selectors, no label has it"},
	{"unspec", "is Cilium's word for a source that is missing"},
};

struct parts {
	struct span source, key, value;
};

/* Somebody's text for a sentence: printable, and not the whole of it when it is long. */
struct shown {
	char text[SHOWN + 4];
};

static struct shown show(struct span s)
{
	struct shown out;
	size_t n = s.n < SHOWN ? s.n : SHOWN;

	for (size_t i = 0; i < n; i++)
		out.text[i] = s.p[i] >= 0x20 && s.p[i] < 0x7f ? s.p[i] : '?';
	snprintf(out.text + n, sizeof(out.text) - n, "%s", n < s.n ? "..." : "");
	return out;
}

/* Not isalnum: the answer must not depend on a locale. */
static bool is_small(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
	return is_small(c) || (c >= 'A' && c <= 'Z');
}

static bool all_alnum(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]))
			return false;
	return true;
}

/* [A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])? */
static bool is_name(struct span s)
{
	if (!s.n || !is_alnum(s.p[0]) || !is_alnum(s.p[s.n - 1]))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]) && s.p[i] != '-' && s.p[i] != '_' && s.p[i] != '.')
			return false;
	return true;
}

/* Words of [a-z0-9]([-a-z0-9]*[a-z0-9])? with dots between (RFC 1123 2.1). */
static bool is_subdomain(struct span s)
{
	char before = '.';

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '.'       ? before == '.' || before == '-'
			: c == '-' ? before == '.'
				   : !is_small(c))
			return false;
		before = c;
	}
	return before != '.' && before != '-';
}

/* Cuts s at the first c: what stood before it goes to ret_before, s becomes what follows. */
static bool cut(struct span *s, char c, struct span *ret_before)
{
	const char *at = s->n ? memchr(s->p, c, s->n) : NULL;

	if (!at)
		return false;
	*ret_before = (struct span){.p = s->p, .n = (size_t)(at - s->p)};
	s->n -= ret_before->n + 1;
	s->p = at + 1;
	return true;
}

/* These say what is wrong, or NULL. */
static const char *key_fault(struct span key)
{
	struct span name = key;
	struct span prefix;

	if (cut(&name, '/', &prefix)) {
		if (prefix.n > KEY_PREFIX_MAX)
			return "the key's prefix is longer than 253 bytes";
		if (!is_subdomain(prefix))
			return "the key's prefix is not a DNS name in lower case";
	}
	if (name.n > KEY_NAME_MAX)
		return "the key's name is longer than 63 bytes";
	if (!is_name(name))
		return "the key's name must be letters, digits, '-', '_', '.', "
		       "with a letter or digit at both ends";
	return NULL;
}

const char *ident_label_value_fault(struct span value)
{
	if (value.n > IDENT_LABEL_VALUE_MAX)
		return "the value is longer than 63 bytes";
	if (value.n && !is_name(value))
		return "the value must be letters, digits, '-', '_', '.', "
		       "with a letter or digit at both ends";
	return NULL;
}

static const char *parts_fault(const struct parts *parts)
{
	const char *fault;

	if (!parts->source.n || !all_alnum(parts->source))
		return "the source must be letters and digits";
	fault = key_fault(parts->key);
	return fault ? fault : ident_label_value_fault(parts->value);
}

static const char *refused_source(struct span source)
{
	for (size_t i = 0; i < ARRAY_SIZE(REFUSED_SOURCES); i++)
		if (span_is(source, REFUSED_SOURCES[i].source))
			return REFUSED_SOURCES[i].why;
	return NULL;
}

static struct parts split_loose(struct span text)
{
	struct parts parts = {.source = SPAN("k8s"), .key = text};

	if (cut(&text, '=', &parts.key))
		parts.value = text;
	cut(&parts.key, ':', &parts.source);
	return parts;
}

static const char *write_part(struct wr *to, struct span part)
{
	const char *at = (const char *)to->p;

	wr_bytes(to, part.p, part.n);
	wr_u8(to, 0);
	return at;
}

int ident_label_parse(
	const char *text, char *buf, size_t buf_size, struct ident_label *ret_label, char why[WHY])
{
	struct parts parts = split_loose(span_of(text));
	const char *fault = parts_fault(&parts);
	struct wr to = wr_of(buf, buf_size);

	if (fault) {
		snprintf(why, WHY, "label \"%s\": %s", show(span_of(text)).text, fault);
		return -EINVAL;
	}
	fault = refused_source(parts.source);
	if (fault) {
		snprintf(why, WHY, "label \"%s\": the source %.*s %s", show(span_of(text)).text,
			SPAN_ARG(parts.source), fault);
		return -EINVAL;
	}
	if (buf_size < 3 || parts.source.n + parts.key.n + parts.value.n > buf_size - 3) {
		snprintf(why, WHY, "label \"%s\": it is too long", show(span_of(text)).text);
		return -ENAMETOOLONG;
	}
	ret_label->source = write_part(&to, parts.source);
	ret_label->key = write_part(&to, parts.key);
	ret_label->value = write_part(&to, parts.value);
	return 0;
}

static int label_check(const struct ident_label *label, char why[WHY])
{
	struct parts parts = {
		.source = span_of(label->source),
		.key = span_of(label->key),
		.value = span_of(label->value),
	};
	const char *fault = parts_fault(&parts);

	if (!fault)
		return 0;
	snprintf(why, WHY, "label with the key \"%s\": %s", show(parts.key).text, fault);
	return -EINVAL;
}

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
			show(span_of(sorted[i]->key)).text);
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
		r = label_check(&labels[i], why);
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
static bool split_strict(struct span text, struct parts *ret_parts)
{
	struct parts parts;

	if (!cut(&text, '=', &parts.key) || !cut(&parts.key, ':', &parts.source))
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
	struct parts parts;
	size_t n = 0;

	if (rest.n > IDENT_LABELS_TEXT_MAX)
		return -E2BIG;
	while (rest.n) {
		if (!cut(&rest, ';', &one) || !split_strict(one, &parts) || parts_fault(&parts))
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

	if (!cut(&one, ';', &label))
		return false;
	*ret_label = (struct span){label.p, label.n + 1};
	*rest = one;
	if (!cut(&label, '=', ret_key) || !cut(ret_key, ':', &source))
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
