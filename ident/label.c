#include "ident/label.h"

#include "base/wr.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define WHY            160
#define KEY_PREFIX_MAX 253 /* Kubernetes: a DNS subdomain */
#define KEY_NAME_MAX   63

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

struct ident_label_shown ident_label_show(struct span s)
{
	struct ident_label_shown out;
	size_t n = s.n < IDENT_LABEL_SHOWN ? s.n : IDENT_LABEL_SHOWN;

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

bool ident_label_cut(struct span *s, char c, struct span *ret_before)
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

	if (ident_label_cut(&name, '/', &prefix)) {
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

const char *ident_label_fault(const struct ident_label_parts *parts)
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

static struct ident_label_parts split_loose(struct span text)
{
	struct ident_label_parts parts = {.source = SPAN("k8s"), .key = text};

	if (ident_label_cut(&text, '=', &parts.key))
		parts.value = text;
	ident_label_cut(&parts.key, ':', &parts.source);
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
	struct ident_label_parts parts = split_loose(span_of(text));
	const char *fault = ident_label_fault(&parts);
	struct wr to = wr_of(buf, buf_size);

	if (fault) {
		snprintf(why, WHY, "label \"%s\": %s", ident_label_show(span_of(text)).text, fault);
		return -EINVAL;
	}
	fault = refused_source(parts.source);
	if (fault) {
		snprintf(why, WHY, "label \"%s\": the source %.*s %s",
			ident_label_show(span_of(text)).text, SPAN_ARG(parts.source), fault);
		return -EINVAL;
	}
	if (buf_size < 3 || parts.source.n + parts.key.n + parts.value.n > buf_size - 3) {
		snprintf(why, WHY, "label \"%s\": it is too long",
			ident_label_show(span_of(text)).text);
		return -ENAMETOOLONG;
	}
	ret_label->source = write_part(&to, parts.source);
	ret_label->key = write_part(&to, parts.key);
	ret_label->value = write_part(&to, parts.value);
	return 0;
}

int ident_label_check(const struct ident_label *label, char why[WHY])
{
	struct ident_label_parts parts = {
		.source = span_of(label->source),
		.key = span_of(label->key),
		.value = span_of(label->value),
	};
	const char *fault = ident_label_fault(&parts);

	if (!fault)
		return 0;
	snprintf(
		why, WHY, "label with the key \"%s\": %s", ident_label_show(parts.key).text, fault);
	return -EINVAL;
}
