#include "ident/template.h"

#include "ident/labels.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define WHY       160
#define TEXT_MAX  512 /* of one label as it is written */
#define PATH_MAX  8
#define CLAIM_MAX 1024 /* bytes of a claim that is looked at */

enum root {
	ROOT_NONE, /* no place: the value is before */
	ROOT_CLAIMS,
	ROOT_ACTOR,
	ROOT_PROVIDER,
};

static const char *const ROOTS[] = {[ROOT_NONE] = "",
	[ROOT_CLAIMS] = "claims",
	[ROOT_ACTOR] = "actor",
	[ROOT_PROVIDER] = "provider"};

#define LOWER 1u
#define SLUG  2u

struct part {
	char text[TEXT_MAX]; /* as it was written */
	char parts[TEXT_MAX];
	char names[TEXT_MAX];
	struct ident_label label; /* borrows from parts; the value is a sample */
	struct span before, after;
	enum root root;
	const char *path[PATH_MAX]; /* in names */
	size_t n_path;
	unsigned filters;
};

struct ident_template {
	size_t n;
	struct part *sorted[IDENT_LABELS_MAX];
	struct part parts[];
};

bool ident_template_is(const char *const *labels, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strpbrk(labels[i], "{}"))
			return true;
	return false;
}

void ident_template_free(struct ident_template *template)
{
	free(template);
}

/* Cuts "|lower" and "|slug" off the end. */
static const char *parse_filters(char *place, struct part *part)
{
	char *bar;

	while ((bar = strrchr(place, '|')) && !strchr(bar, '\'')) {
		if (!strcmp(bar, "|lower"))
			part->filters |= LOWER;
		else if (!strcmp(bar, "|slug"))
			part->filters |= SLUG;
		else
			return "behind '|' is 'lower' or 'slug'";
		*bar = '\0';
	}
	return NULL;
}

/* ".NAME" or "['NAME']", copied to names; returns what follows, or NULL. */
static const char *parse_segment(const char *at, struct part *part, struct wr *names)
{
	bool quoted = !strncmp(at, "['", 2);
	const char *name = at + (quoted ? 2 : 1);
	const char *end = quoted ? strstr(name, "']") : name + strcspn(name, ".[]'");

	if ((!quoted && *at != '.') || !end || end == name || part->n_path == PATH_MAX)
		return NULL;
	part->path[part->n_path++] = (const char *)names->p;
	wr_bytes(names, name, (size_t)(end - name));
	wr_u8(names, 0);
	return quoted ? end + 2 : end;
}

/* Who gives each token another one makes no role: identities are for groups of callers. */
static bool is_personal(const struct part *part)
{
	static const char *const NAMES[] = {"sub", "jti", "sid", "nonce"};

	for (size_t i = 0; i < ARRAY_SIZE(NAMES); i++)
		if (part->root == ROOT_CLAIMS && part->n_path == 1 &&
			!strcmp(part->path[0], NAMES[i]))
			return true;
	return false;
}

static const char *parse_path(const char *at, struct part *part)
{
	struct wr names = wr_of(part->names, sizeof(part->names));

	while (at && *at)
		at = parse_segment(at, part, &names);
	if (!at || !part->n_path || names.bad)
		return "a place is claims.NAME, claims['NAME'] or the same of actor";
	if (is_personal(part))
		return "sub, jti, sid and nonce differ for each caller or token; "
		       "an identity is for a role";
	return NULL;
}

static const char *parse_place(char *place, struct part *part)
{
	const char *fault = parse_filters(place, part);
	size_t n = strcspn(place, ".[");

	if (fault)
		return fault;
	for (size_t i = ROOT_CLAIMS; i < ARRAY_SIZE(ROOTS); i++)
		if (n == strlen(ROOTS[i]) && !strncmp(place, ROOTS[i], n))
			part->root = (enum root)i;
	if (part->root == ROOT_NONE)
		return "a place begins with claims, actor or provider";
	if (part->root == ROOT_PROVIDER)
		return place[n] ? "provider has nothing behind it" : NULL;
	return parse_path(place + n, part);
}

/* Finds the one place; sample is the label with an 'x' there. */
static const char *find_place(struct part *part, char sample[TEXT_MAX])
{
	const char *value = strchr(part->text, '=');
	const char *open = strchr(part->text, '{');
	const char *close = open ? strchr(open, '}') : NULL;
	char place[TEXT_MAX];

	if (!open || !close || !value || value > open || strpbrk(close + 1, "{}"))
		return "a value has one place, from '{' to '}'";
	value++;
	part->before = (struct span){value, (size_t)(open - value)};
	part->after = span_of(close + 1);
	snprintf(place, sizeof(place), "%.*s", (int)(close - open - 1), open + 1);
	snprintf(sample, TEXT_MAX, "%.*sx%s", (int)(open - part->text), part->text, close + 1);
	return parse_place(place, part);
}

static int parse(const char *text, struct part *part, char why[WHY])
{
	char sample[TEXT_MAX];
	const char *fault = NULL;
	int rc;

	if (strlen(text) >= TEXT_MAX) {
		snprintf(why, WHY, "label \"%.48s...\": it is too long", text);
		return -EINVAL;
	}
	snprintf(part->text, sizeof(part->text), "%s", text);
	snprintf(sample, sizeof(sample), "%s", text);
	if (strpbrk(text, "{}"))
		fault = find_place(part, sample);
	if (fault) {
		snprintf(why, WHY, "label \"%.48s\": %s", text, fault);
		return -EINVAL;
	}
	rc = ident_label_parse(sample, part->parts, sizeof(part->parts), &part->label, why);
	if (!rc && part->root == ROOT_NONE)
		part->before = span_of(part->label.value);
	return rc;
}

static int by_key(const void *a, const void *b)
{
	const struct part *const *x = a, *const *y = b;

	return strcmp((*x)->label.key, (*y)->label.key);
}

/* With the samples as values the set must be one: keys that collide are a mistake now. */
static int check_set(const struct ident_template *template, char why[WHY])
{
	struct ident_label labels[IDENT_LABELS_MAX];
	cleanup(free) char *text = NULL;

	for (size_t i = 0; i < template->n; i++)
		labels[i] = template->parts[i].label;
	return ident_labels_canonical(labels, template->n, &text, why);
}

int ident_template_new(
	const char *const *labels, size_t n, struct ident_template **ret, char why[WHY])
{
	cleanup(ident_template) struct ident_template *template = NULL;
	int rc = 0;

	if (n > IDENT_LABELS_MAX) {
		snprintf(why, WHY, "%zu labels are too many; a set may hold %d", n,
			IDENT_LABELS_MAX);
		return -E2BIG;
	}
	template = calloc(1, sizeof(*template) + n * sizeof(template->parts[0]));
	if (!template)
		return -ENOMEM;
	template->n = n;
	for (size_t i = 0; !rc && i < n; i++) {
		template->sorted[i] = &template->parts[i];
		rc = parse(labels[i], &template->parts[i], why);
	}
	if (!rc)
		rc = check_set(template, why);
	if (rc)
		return rc;
	qsort(template->sorted, n, sizeof(template->sorted[0]), by_key);
	*ret = TAKE_PTR(template);
	return 0;
}

/* A claim as text: whole, or with a fault. */
static const char *text_of(const json_t *claim, char buf[24], struct span *ret_text)
{
	switch (json_typeof(claim)) {
	case JSON_STRING:
		*ret_text = (struct span){json_string_value(claim), json_string_length(claim)};
		break;
	case JSON_INTEGER:
		snprintf(buf, 24, "%" JSON_INTEGER_FORMAT, json_integer_value(claim));
		*ret_text = span_of(buf);
		break;
	case JSON_TRUE:
		*ret_text = SPAN("true");
		break;
	case JSON_FALSE:
		*ret_text = SPAN("false");
		break;
	default:
		return "the claim is no text, whole number or boolean";
	}
	if (!ret_text->n)
		return "the claim is empty";
	return ret_text->n > CLAIM_MAX ? "the claim is longer than 1024 bytes" : NULL;
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static void put_slug(struct wr *to, char c)
{
	bool keep = is_alnum(c) || c == '_' || c == '.' || c == '-';

	if (!keep && wr_len(to) && to->p[-1] == '-')
		return;
	wr_u8(to, (uint8_t)(keep ? c : '-'));
}

static struct span trim(struct span text)
{
	while (text.n && !is_alnum(text.p[0])) {
		text.p++;
		text.n--;
	}
	while (text.n && !is_alnum(text.p[text.n - 1]))
		text.n--;
	return text;
}

static struct span filter(struct span text, unsigned filters, char buf[CLAIM_MAX])
{
	struct wr to = wr_of(buf, CLAIM_MAX);

	if (!filters)
		return text;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if ((filters & LOWER) && c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (filters & SLUG)
			put_slug(&to, c);
		else
			wr_u8(&to, (uint8_t)c);
	}
	text = (struct span){buf, wr_len(&to)};
	return filters & SLUG ? trim(text) : text;
}

int ident_template_sample(const char *label, char *buf, size_t size)
{
	const char *open = strchr(label, '{');
	const char *close = open ? strchr(open, '}') : NULL;
	struct wr to = wr_of(buf, size);
	char slug[CLAIM_MAX];
	struct span place;

	if (!close) {
		wr_bytes(&to, label, strlen(label) + 1);
		return to.bad ? -ENAMETOOLONG : 0;
	}
	place = (struct span){open + 1, (size_t)(close - open - 1)};
	if (place.n > sizeof(slug))
		return -ENAMETOOLONG;
	place = filter(place, SLUG, slug);
	wr_bytes(&to, label, (size_t)(open - label));
	wr_bytes(&to, place.p, place.n);
	wr_bytes(&to, close + 1, strlen(close + 1) + 1);
	return to.bad ? -ENAMETOOLONG : 0;
}

/* The claim, or NULL with *ret_fit. */
static const json_t *find(
	const struct part *part, const struct ident_caller *caller, enum ident_fit *ret_fit)
{
	const json_t *at = part->root == ROOT_ACTOR ? caller->actor : caller->claims;

	for (size_t i = 0; i < part->n_path; i++)
		at = json_object_get(at, part->path[i]);
	if (at && !json_is_null(at))
		return at;
	*ret_fit = IDENT_FIT_ABSENT;
	if (part->root == ROOT_CLAIMS && ident_claim_is_elsewhere(caller->claims, part->path[0]))
		*ret_fit = IDENT_FIT_UNSAID;
	return NULL;
}

/* What stands in the place, before it is looked at as a label. */
static enum ident_fit fill(const struct part *part, const struct ident_caller *caller, char buf[24],
	struct span *ret_text, const char **ret_fault)
{
	enum ident_fit fit = IDENT_FIT;
	const json_t *claim;

	*ret_text = (struct span){0};
	if (part->root == ROOT_NONE)
		return fit;
	if (part->root == ROOT_PROVIDER) {
		*ret_text = span_of(caller->provider);
		return fit;
	}
	claim = find(part, caller, &fit);
	*ret_fault = fit == IDENT_FIT_UNSAID ? "the provider left the claim out of the token"
					     : "there is no such claim";
	if (!claim)
		return fit;
	*ret_fault = text_of(claim, buf, ret_text);
	return *ret_fault ? IDENT_FIT_NOT : IDENT_FIT;
}

static enum ident_fit render(const struct part *part, const struct ident_caller *caller,
	struct wr *out, const char **ret_fault)
{
	char number[24], filtered[CLAIM_MAX], value[IDENT_LABEL_VALUE_MAX + 1];
	struct wr to = wr_of(value, sizeof(value));
	struct span text;
	enum ident_fit fit = fill(part, caller, number, &text, ret_fault);

	if (fit != IDENT_FIT)
		return fit;
	text = filter(text, part->filters, filtered);
	wr_bytes(&to, part->before.p, part->before.n);
	wr_bytes(&to, text.p, text.n);
	wr_bytes(&to, part->after.p, part->after.n);
	*ret_fault = to.bad ? "the value is longer than 63 bytes" : NULL;
	if (part->root != ROOT_NONE && !text.n)
		*ret_fault = "nothing of the claim is left";
	if (!*ret_fault)
		*ret_fault = ident_label_value_fault((struct span){value, wr_len(&to)});
	if (*ret_fault)
		return IDENT_FIT_NOT;
	wr_bytes(out, part->label.source, strlen(part->label.source));
	wr_u8(out, ':');
	wr_bytes(out, part->label.key, strlen(part->label.key));
	wr_u8(out, '=');
	wr_bytes(out, value, wr_len(&to));
	wr_u8(out, ';');
	return IDENT_FIT;
}

enum ident_fit ident_template_render(const struct ident_template *template,
	const struct ident_caller *caller, struct wr *out, struct ident_misfit *ret_misfit)
{
	size_t before = wr_len(out);
	enum ident_fit fit = IDENT_FIT;

	for (size_t i = 0; fit == IDENT_FIT && i < template->n; i++) {
		const struct part *part = template->sorted[i];
		struct ident_misfit misfit = {.label = part->text};

		fit = render(part, caller, out, &misfit.fault);
		if (fit == IDENT_FIT &&
			(out->bad || wr_len(out) - before > IDENT_LABELS_TEXT_MAX)) {
			misfit.fault = "the labels are too long together";
			fit = IDENT_FIT_NOT;
		}
		if (fit != IDENT_FIT)
			*ret_misfit = misfit;
	}
	if (fit != IDENT_FIT)
		wr_rewind(out, before);
	return fit;
}
