#include "spoa/condition.h"

#include <errno.h>
#include <string.h>

_Static_assert((int)CONF_TEST_EQUALS == (int)IDENT_EQUALS, "same order");
_Static_assert((int)CONF_TEST_ANY == (int)IDENT_ANY, "same order");
_Static_assert((int)CONF_TEST_ALL == (int)IDENT_ALL, "same order");
_Static_assert((int)CONF_TEST_EXISTS == (int)IDENT_EXISTS, "same order");
_Static_assert((int)CONF_TEST_PREFIX == (int)IDENT_PREFIX, "same order");
_Static_assert((int)CONF_TEST_GLOB == (int)IDENT_GLOB, "same order");
_Static_assert((int)CONF_TEST_AT_LEAST == (int)IDENT_AT_LEAST, "same order");
_Static_assert((int)CONF_TEST_AT_MOST == (int)IDENT_AT_MOST, "same order");
_Static_assert((int)CONF_ABOUT_CLAIM == (int)IDENT_CLAIM, "same order");
_Static_assert((int)CONF_ABOUT_ACTOR == (int)IDENT_ACTOR, "same order");
_Static_assert((int)CONF_ABOUT_CERT == (int)IDENT_CERT, "same order");
_Static_assert((int)CONF_ABOUT_SCOPE == (int)IDENT_SCOPE, "same order");
_Static_assert((int)CONF_ABOUT_SOURCE == (int)IDENT_SOURCE, "same order");
_Static_assert((int)CONF_ABOUT_WORKLOAD == (int)IDENT_LABELS, "same order");

static int compile_networks(const struct conf_strings *from, struct ident_condition *to)
{
	struct base_cidr *networks = calloc(from->n + 1, sizeof(*networks));

	to->networks = networks;
	to->n_networks = networks ? from->n : 0;
	for (size_t i = 0; i < to->n_networks; i++)
		if (base_cidr_parse(from->items[i], &networks[i]))
			return -EINVAL; /* conf has checked them */
	return networks ? 0 : -ENOMEM;
}

static const struct conf_strings *path_of(const struct conf_condition *from, enum ident_about about)
{
	if (about == IDENT_ACTOR)
		return &from->actor;
	return about == IDENT_CERT ? &from->cert : &from->claim;
}

static void set_values(struct ident_condition *to, const struct conf_strings *values)
{
	to->values = (const char *const *)values->items;
	to->n_values = values->n;
}

static void set_number(struct ident_condition *to, char *const *number)
{
	to->values = (const char *const *)number;
	to->n_values = 1;
}

/* RFC 8693 4.2, and Entra's and Okta's name for it: a text that is a list. */
static bool is_list(const struct conf_strings *path)
{
	const char *last = path->n ? path->items[path->n - 1] : "";

	return !strcmp(last, "scope") || !strcmp(last, "scp");
}

static int compile(const struct conf_condition *from, struct ident_condition *to)
{
	const struct conf_strings *values;
	const struct conf_strings *path;

	to->about = (enum ident_about)conf_condition_about(from);
	to->test = (enum ident_test)conf_condition_test(from, &values);
	to->proxied = from->proxied;
	if (to->about == IDENT_SOURCE)
		return compile_networks(&from->source, to);
	set_values(to, to->about == IDENT_SCOPE    ? &from->scope
		       : to->about == IDENT_LABELS ? &from->workload
						   : values);
	if (to->test == IDENT_AT_LEAST)
		set_number(to, &from->at_least);
	if (to->test == IDENT_AT_MOST)
		set_number(to, &from->at_most);
	if (to->about == IDENT_SCOPE || to->about == IDENT_LABELS)
		return 0;
	path = path_of(from, to->about);
	to->path = (const char *const *)path->items;
	to->n_path = path->n;
	to->space_separated = is_list(path);
	return 0;
}

int spoa_conditions_compile(
	const struct conf_condition *from, size_t n, struct ident_condition **ret)
{
	struct ident_condition *to = calloc(n + 1, sizeof(*to));
	int rc = to ? 0 : -ENOMEM;

	for (size_t i = 0; !rc && i < n; i++)
		rc = compile(&from[i], &to[i]);
	if (rc) {
		spoa_conditions_free(to, to ? n : 0);
		return rc;
	}
	*ret = to;
	return 0;
}

void spoa_conditions_free(struct ident_condition *conditions, size_t n)
{
	for (size_t i = 0; conditions && i < n; i++)
		free((struct base_cidr *)conditions[i].networks);
	free(conditions);
}
