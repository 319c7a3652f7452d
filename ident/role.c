#include "ident/role.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* NULL when a segment is missing or stands on something that is no object. */
static const json_t *claim_at(const struct ident_condition *condition, const json_t *claims)
{
	const json_t *at = condition->n_path ? claims : NULL;

	for (size_t i = 0; i < condition->n_path; i++)
		at = json_object_get(at, condition->path[i]);
	return at;
}

static bool integer_is(json_int_t n, const char *value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, n);
	return !strcmp(text, value);
}

/*
 * jansson keeps the number and not how it was written, so every way to write
 * a number with a fraction or an exponent is its text: 1.5, 1.50, 15e-1. One
 * without is an integer, and never this number.
 */
static bool real_is(double n, const char *value)
{
	char *end;

	if (strspn(value, "0123456789+-.eE") != strlen(value) || !strpbrk(value, ".eE"))
		return false;
	return strtod(value, &end) == n && end != value && !*end;
}

/* Is this claim, or this element of one, the value? Lists, objects and null never are. */
static bool scalar_is(const json_t *claim, const char *value)
{
	switch (json_typeof(claim)) {
	case JSON_STRING:
		/* By length: text with a NUL in it is not the text before the NUL. */
		return span_is(
			(struct span){json_string_value(claim), json_string_length(claim)}, value);
	case JSON_INTEGER:
		return integer_is(json_integer_value(claim), value);
	case JSON_REAL:
		return real_is(json_real_value(claim), value);
	case JSON_TRUE:
		return !strcmp(value, "true");
	case JSON_FALSE:
		return !strcmp(value, "false");
	default:
		return false;
	}
}

/* RFC 6749 3.3: words with one space between. An empty word is none. */
static bool words_hold(struct span text, const char *value)
{
	while (text.n) {
		const char *space = memchr(text.p, ' ', text.n);
		size_t n = space ? (size_t)(space - text.p) : text.n;

		if (n && span_is((struct span){text.p, n}, value))
			return true;
		n += space ? 1 : 0;
		text.p += n;
		text.n -= n;
	}
	return false;
}

static bool array_holds(const json_t *array, const char *value)
{
	for (size_t i = 0; i < json_array_size(array); i++)
		if (scalar_is(json_array_get(array, i), value))
			return true;
	return false;
}

static bool claim_holds(const json_t *claim, const char *value, bool space_separated)
{
	if (json_is_array(claim))
		return array_holds(claim, value);
	if (space_separated && json_is_string(claim))
		return words_hold(
			(struct span){json_string_value(claim), json_string_length(claim)}, value);
	return scalar_is(claim, value);
}

bool ident_condition_holds(const struct ident_condition *condition, const json_t *claims)
{
	const json_t *claim = claim_at(condition, claims);
	size_t held = 0;

	if (!claim || json_is_null(claim))
		return false;
	if (condition->test == IDENT_EXISTS)
		return true;
	for (size_t i = 0; i < condition->n_values; i++)
		held += claim_holds(claim, condition->values[i], condition->space_separated);
	/* No values, no match: an empty ALL must not let everybody in. */
	return condition->test == IDENT_ALL ? held && held == condition->n_values : held;
}

static bool role_holds(const struct ident_role *role, const char *provider, const json_t *claims)
{
	if (role->provider && (!provider || strcmp(role->provider, provider) != 0))
		return false;
	for (size_t i = 0; i < role->n_conditions; i++)
		if (!ident_condition_holds(&role->conditions[i], claims))
			return false;
	return true;
}

const struct ident_role *ident_role_match(
	const struct ident_role *roles, size_t n_roles, const char *provider, const json_t *claims)
{
	for (size_t i = 0; i < n_roles; i++)
		if (role_holds(&roles[i], provider, claims))
			return &roles[i];
	return NULL;
}
