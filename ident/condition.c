#include "ident/condition.h"

#include "base/mem.h"

#include <errno.h>
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

static bool begins_with(struct span text, const char *value)
{
	size_t n = strlen(value);

	return n <= text.n && !memcmp(text.p, value, n);
}

/* Behind the character (UTF-8) that begins at i. */
static size_t skip_character(struct span text, size_t i)
{
	do
		i++;
	while (i < text.n && (text.p[i] & 0xc0) == 0x80);
	return i;
}

/* One look back, to the last star, is enough: time is the product of the lengths at most. */
static bool is_like(struct span text, const char *pattern)
{
	const char *star = NULL;
	size_t i = 0, from = 0;

	if (text.n > IDENT_PATTERN_MAX)
		return false;
	while (i < text.n) {
		if (*pattern == '*') {
			star = ++pattern;
			from = i;
		} else if (*pattern == '?') {
			pattern++;
			i = skip_character(text, i);
		} else if (*pattern == text.p[i]) {
			pattern++;
			i++;
		} else if (star) {
			pattern = star;
			i = ++from;
		} else {
			return false;
		}
	}
	return !pattern[strspn(pattern, "*")];
}

static bool text_fits(struct span text, const char *value, enum ident_test test)
{
	if (test == IDENT_PREFIX)
		return begins_with(text, value);
	return test == IDENT_GLOB ? is_like(text, value) : span_is(text, value);
}

static struct span text_of(const json_t *string)
{
	return (struct span){json_string_value(string), json_string_length(string)};
}

/* Patterns are for text alone: a number has many ways to be written. */
static bool scalar_fits(const json_t *claim, const char *value, enum ident_test test)
{
	if (test != IDENT_PREFIX && test != IDENT_GLOB)
		return scalar_is(claim, value);
	return json_is_string(claim) && text_fits(text_of(claim), value, test);
}

/* RFC 6749 3.3: words with one space between. An empty word is none. */
static bool words_fit(struct span text, const char *value, enum ident_test test)
{
	while (text.n) {
		const char *space = memchr(text.p, ' ', text.n);
		size_t n = space ? (size_t)(space - text.p) : text.n;

		if (n && text_fits((struct span){text.p, n}, value, test))
			return true;
		n += space ? 1 : 0;
		text.p += n;
		text.n -= n;
	}
	return false;
}

static bool array_fits(const json_t *array, const char *value, enum ident_test test)
{
	for (size_t i = 0; i < json_array_size(array); i++)
		if (scalar_fits(json_array_get(array, i), value, test))
			return true;
	return false;
}

static bool claim_fits(
	const json_t *claim, const char *value, const struct ident_condition *condition)
{
	if (json_is_array(claim))
		return array_fits(claim, value, condition->test);
	if (condition->space_separated && json_is_string(claim))
		return words_fit(text_of(claim), value, condition->test);
	return scalar_fits(claim, value, condition->test);
}

/* -1, 0, 1; 2 where they have no order: a NaN. Whole numbers compare exactly. */
static int compare_number(const json_t *claim, const char *value)
{
	char *end;
	long long whole = strtoll(value, &end, 10);
	double a = json_number_value(claim), b;

	if (json_is_integer(claim) && !*end && errno != ERANGE)
		return (json_integer_value(claim) > whole) - (json_integer_value(claim) < whole);
	b = strtod(value, &end);
	if (end == value || *end)
		return 2;
	return a < b ? -1 : a > b ? 1 : a == b ? 0 : 2;
}

static bool number_fits(const json_t *claim, const char *value, enum ident_test test)
{
	int order;

	errno = 0;
	order = json_is_number(claim) ? compare_number(claim, value) : 2;
	return test == IDENT_AT_LEAST ? order == 0 || order == 1 : order == 0 || order == -1;
}

static bool claim_holds(const json_t *claim, const struct ident_condition *condition)
{
	size_t held = 0;

	if (!claim || json_is_null(claim))
		return false;
	if (condition->test == IDENT_EXISTS)
		return true;
	if (condition->test == IDENT_AT_LEAST || condition->test == IDENT_AT_MOST)
		return condition->n_values &&
		       number_fits(claim, condition->values[0], condition->test);
	for (size_t i = 0; i < condition->n_values; i++)
		held += claim_fits(claim, condition->values[i], condition);
	/* No values, no match: an empty ALL must not let everybody in. */
	return condition->test == IDENT_ALL ? held && held == condition->n_values : held;
}

bool ident_claim_is_elsewhere(const json_t *claims, const char *name)
{
	if (json_object_get(claims, name))
		return false;
	if (json_object_get(json_object_get(claims, "_claim_names"), name))
		return true;
	return !strcmp(name, "groups") && json_is_true(json_object_get(claims, "hasgroups"));
}

static bool scopes_hold(const struct ident_condition *condition, struct span scope)
{
	for (size_t i = 0; i < condition->n_values; i++)
		if (!words_fit(scope, condition->values[i], IDENT_EQUALS))
			return false;
	return condition->n_values;
}

enum ident_answer ident_condition_of_caller(
	const struct ident_condition *condition, const struct ident_caller *caller)
{
	bool holds = false;

	if (condition->about == IDENT_CLAIM)
		holds = claim_holds(claim_at(condition, caller->claims), condition);
	else if (condition->about == IDENT_ACTOR)
		holds = claim_holds(claim_at(condition, caller->actor), condition);
	else if (condition->about == IDENT_SCOPE)
		holds = scopes_hold(condition, caller->scope);
	if (!holds && condition->about == IDENT_CLAIM && condition->n_path &&
		ident_claim_is_elsewhere(caller->claims, condition->path[0]))
		return IDENT_UNSAID;
	return holds ? IDENT_HOLDS : IDENT_FAILS;
}

static bool is_in_networks(
	const struct ident_condition *condition, const struct ident_request *request)
{
	if (!request->has_address || (request->proxied && !condition->proxied))
		return false;
	for (size_t i = 0; i < condition->n_networks; i++)
		if (base_cidr_has(&condition->networks[i], request->address))
			return true;
	return false;
}

/* "source:key=value"; without a source it is k8s, as where labels are written. */
static bool label_is(struct span label, const char *text)
{
	static const char K8S[] = "k8s:";
	const char *equals = strchr(text, '=');
	const char *colon = strchr(text, ':');

	if (colon && (!equals || colon < equals))
		return span_is(label, text);
	if (label.n < sizeof(K8S) - 1 || memcmp(label.p, K8S, sizeof(K8S) - 1))
		return false;
	label.p += sizeof(K8S) - 1;
	label.n -= sizeof(K8S) - 1;
	return span_is(label, text);
}

static bool has_label(struct span labels, const char *text)
{
	while (labels.n) {
		const char *end = memchr(labels.p, ';', labels.n);
		size_t n = end ? (size_t)(end - labels.p) : labels.n;

		if (label_is((struct span){labels.p, n}, text))
			return true;
		labels.p += end ? n + 1 : n;
		labels.n -= end ? n + 1 : n;
	}
	return false;
}

static bool has_labels(const struct ident_condition *condition, struct span labels)
{
	for (size_t i = 0; i < condition->n_values; i++)
		if (!has_label(labels, condition->values[i]))
			return false;
	return condition->n_values;
}

bool ident_condition_of_request(
	const struct ident_condition *condition, const struct ident_request *request)
{
	if (condition->about == IDENT_SOURCE)
		return is_in_networks(condition, request);
	if (condition->about == IDENT_LABELS)
		return has_labels(condition, request->workload);
	return condition->about == IDENT_CERT &&
	       claim_holds(claim_at(condition, request->cert), condition);
}
