#include "spoa/objection.h"

#include "token/mapping.h"

#include <stdio.h>
#include <string.h>

#define SHOWN 200 /* bytes of a claim that an answer repeats */

static const char *const TESTS[] = {
	[IDENT_EQUALS] = "equals",
	[IDENT_ANY] = "any",
	[IDENT_ALL] = "all",
	[IDENT_EXISTS] = "exists",
	[IDENT_PREFIX] = "prefix",
	[IDENT_GLOB] = "glob",
	[IDENT_AT_LEAST] = "at_least",
	[IDENT_AT_MOST] = "at_most",
};
_Static_assert(ARRAY_SIZE(TESTS) == IDENT_TESTS, "a word for each");

static const char *const ABOUT[] = {"claim", "actor", "cert", "scope", "source", "workload"};

static void print_list(FILE *to, const char *const *items, size_t n, const char *between)
{
	for (size_t i = 0; i < n; i++)
		fprintf(to, "%s%s", i ? between : "", items[i]);
}

/* What the condition looked at, as JSON, cut. */
static void print_found(FILE *to, const struct ident_condition *condition,
	const struct token_claims *claims, const struct ident_request *request)
{
	const struct token_path path = {condition->path, condition->n_path};
	const json_t *root = condition->about == IDENT_CERT    ? request->cert
			     : condition->about == IDENT_ACTOR ? claims->act
							       : claims->claims;
	const json_t *found = root ? token_mapping_at(root, &path) : NULL;
	cleanup(free) char *text = found ? json_dumps(found, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;

	if (condition->about == IDENT_SCOPE)
		fprintf(to, "the scopes are '%.*s'", SPAN_ARG(claims->scope));
	else if (condition->about == IDENT_LABELS)
		fprintf(to,
			request->workload.n ? "the workload has '%.*s'"
					    : "nobody is known there%.*s",
			SPAN_ARG(request->workload));
	else if (condition->about == IDENT_SOURCE)
		fputs(!request->has_address ? "the address is not known"
			: request->proxied  ? "the address came in a header, or is elsewhere"
					    : "the address is elsewhere",
			to);
	else if (text)
		fprintf(to, "it is %.*s%s", SHOWN, text, strlen(text) > SHOWN ? "..." : "");
	else
		fputs("it is not there", to);
}

char *spoa_objection(const struct ident_condition *condition, enum ident_answer answer,
	const struct token_claims *claims, const struct ident_request *request)
{
	char *text = NULL;
	size_t n;
	FILE *to = open_memstream(&text, &n);

	if (!to)
		return NULL;
	fputs(ABOUT[condition->about], to);
	fputs(condition->n_path ? " " : "", to);
	print_list(to, condition->path, condition->n_path, " > ");
	if (condition->about != IDENT_SOURCE && condition->about != IDENT_SCOPE &&
		condition->about != IDENT_LABELS)
		fprintf(to, " %s", TESTS[condition->test]);
	if (condition->n_values) {
		fputs(" [", to);
		print_list(to, condition->values, condition->n_values, ", ");
		fputc(']', to);
	}
	fputs(": ", to);
	if (answer == IDENT_UNSAID)
		fputs("the provider left it out of the token", to);
	else
		print_found(to, condition, claims, request);
	return fclose(to) ? NULL : text;
}
