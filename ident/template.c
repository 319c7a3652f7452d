#include "ident/template.h"

#include "ident/labels.h"
#include "ident/template_part.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define WHY 160

static const char *const ROOTS[] = {[IDENT_ROOT_NONE] = "",
	[IDENT_ROOT_CLAIMS] = "claims",
	[IDENT_ROOT_ACTOR] = "actor",
	[IDENT_ROOT_PROVIDER] = "provider"};

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
static const char *parse_filters(char *place, struct ident_template_part *part)
{
	char *bar;

	while ((bar = strrchr(place, '|')) && !strchr(bar, '\'')) {
		if (!strcmp(bar, "|lower"))
			part->filters |= IDENT_FILTER_LOWER;
		else if (!strcmp(bar, "|slug"))
			part->filters |= IDENT_FILTER_SLUG;
		else
			return "behind '|' is 'lower' or 'slug'";
		*bar = '\0';
	}
	return NULL;
}

/* ".NAME" or "['NAME']", copied to names; returns what follows, or NULL. */
static const char *parse_segment(const char *at, struct ident_template_part *part, struct wr *names)
{
	bool quoted = !strncmp(at, "['", 2);
	const char *name = at + (quoted ? 2 : 1);
	const char *end = quoted ? strstr(name, "']") : name + strcspn(name, ".[]'");

	if ((!quoted && *at != '.') || !end || end == name ||
		part->n_path == IDENT_TEMPLATE_PATH_MAX)
		return NULL;
	part->path[part->n_path++] = (const char *)names->p;
	wr_bytes(names, name, (size_t)(end - name));
	wr_u8(names, 0);
	return quoted ? end + 2 : end;
}

/* Who gives each token another one makes no role: identities are for groups of callers. */
static bool is_personal(const struct ident_template_part *part)
{
	static const char *const NAMES[] = {"sub", "jti", "sid", "nonce"};

	for (size_t i = 0; i < ARRAY_SIZE(NAMES); i++)
		if (part->root == IDENT_ROOT_CLAIMS && part->n_path == 1 &&
			!strcmp(part->path[0], NAMES[i]))
			return true;
	return false;
}

static const char *parse_path(const char *at, struct ident_template_part *part)
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

static const char *parse_place(char *place, struct ident_template_part *part)
{
	const char *fault = parse_filters(place, part);
	size_t n = strcspn(place, ".[");

	if (fault)
		return fault;
	for (size_t i = IDENT_ROOT_CLAIMS; i < ARRAY_SIZE(ROOTS); i++)
		if (n == strlen(ROOTS[i]) && !strncmp(place, ROOTS[i], n))
			part->root = (enum ident_template_root)i;
	if (part->root == IDENT_ROOT_NONE)
		return "a place begins with claims, actor or provider";
	if (part->root == IDENT_ROOT_PROVIDER)
		return place[n] ? "provider has nothing behind it" : NULL;
	return parse_path(place + n, part);
}

/* Finds the one place; sample is the label with an 'x' there. */
static const char *find_place(
	struct ident_template_part *part, char sample[IDENT_TEMPLATE_TEXT_MAX])
{
	const char *value = strchr(part->text, '=');
	const char *open = strchr(part->text, '{');
	const char *close = open ? strchr(open, '}') : NULL;
	char place[IDENT_TEMPLATE_TEXT_MAX];

	if (!open || !close || !value || value > open || strpbrk(close + 1, "{}"))
		return "a value has one place, from '{' to '}'";
	value++;
	part->before = (struct span){value, (size_t)(open - value)};
	part->after = span_of(close + 1);
	snprintf(place, sizeof(place), "%.*s", (int)(close - open - 1), open + 1);
	snprintf(sample, IDENT_TEMPLATE_TEXT_MAX, "%.*sx%s", (int)(open - part->text), part->text,
		close + 1);
	return parse_place(place, part);
}

static int parse(const char *text, struct ident_template_part *part, char why[WHY])
{
	char sample[IDENT_TEMPLATE_TEXT_MAX];
	const char *fault = NULL;
	int rc;

	if (strlen(text) >= IDENT_TEMPLATE_TEXT_MAX) {
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
	if (!rc && part->root == IDENT_ROOT_NONE)
		part->before = span_of(part->label.value);
	return rc;
}

static int by_key(const void *a, const void *b)
{
	const struct ident_template_part *const *x = a, *const *y = b;

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
