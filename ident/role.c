#include "ident/role.h"

#include <string.h>

static bool is_of_provider(const struct ident_role *role, const char *provider)
{
	if (!role->provider)
		return !provider || strcmp(provider, IDENT_WORKLOAD);
	return provider && !strcmp(role->provider, provider);
}

enum ident_answer ident_role_of_caller(
	const struct ident_role *role, const struct ident_caller *caller)
{
	enum ident_answer answer = IDENT_HOLDS;

	if (!is_of_provider(role, caller->provider))
		return IDENT_FAILS;
	for (size_t i = 0; i < role->n_conditions; i++) {
		enum ident_answer one;

		if (ident_condition_is_of_request(&role->conditions[i]))
			continue;
		one = ident_condition_of_caller(&role->conditions[i], caller);
		if (one == IDENT_FAILS)
			return IDENT_FAILS;
		if (one == IDENT_UNSAID)
			answer = IDENT_UNSAID;
	}
	return answer;
}

bool ident_role_of_request(const struct ident_role *role, const struct ident_request *request)
{
	for (size_t i = 0; i < role->n_conditions; i++)
		if (ident_condition_is_of_request(&role->conditions[i]) &&
			!ident_condition_of_request(&role->conditions[i], request))
			return false;
	return true;
}

bool ident_role_asks_request(const struct ident_role *role)
{
	for (size_t i = 0; i < role->n_conditions; i++)
		if (ident_condition_is_of_request(&role->conditions[i]))
			return true;
	return false;
}

static enum ident_answer answer_of(const struct ident_condition *condition,
	const struct ident_caller *caller, const struct ident_request *request)
{
	if (!ident_condition_is_of_request(condition))
		return ident_condition_of_caller(condition, caller);
	return ident_condition_of_request(condition, request) ? IDENT_HOLDS : IDENT_FAILS;
}

size_t ident_role_objection(const struct ident_role *role, const struct ident_caller *caller,
	const struct ident_request *request, enum ident_answer *ret_answer)
{
	size_t unknown = role->n_conditions;

	*ret_answer = is_of_provider(role, caller->provider) ? IDENT_HOLDS : IDENT_FAILS;
	if (*ret_answer == IDENT_FAILS)
		return role->n_conditions;
	for (size_t i = 0; i < role->n_conditions; i++) {
		enum ident_answer one = answer_of(&role->conditions[i], caller, request);

		if (one == IDENT_FAILS) {
			*ret_answer = IDENT_FAILS;
			return i;
		}
		if (one == IDENT_UNSAID && unknown == role->n_conditions)
			unknown = i;
	}
	if (unknown < role->n_conditions)
		*ret_answer = IDENT_UNSAID;
	return unknown;
}
