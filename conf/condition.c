#include "conf/conf.h"

#include <stddef.h>

/* Which field holds a list, by what it says. */
#define LIST(member) offsetof(struct conf_condition, member)

static const size_t ABOUT[] = {
	[CONF_ABOUT_CLAIM] = LIST(claim),
	[CONF_ABOUT_ACTOR] = LIST(actor),
	[CONF_ABOUT_CERT] = LIST(cert),
	[CONF_ABOUT_SCOPE] = LIST(scope),
	[CONF_ABOUT_SOURCE] = LIST(source),
	[CONF_ABOUT_WORKLOAD] = LIST(workload),
};

static const size_t LISTS[] = {
	[CONF_TEST_EQUALS] = LIST(equals),
	[CONF_TEST_ANY] = LIST(any),
	[CONF_TEST_ALL] = LIST(all),
	[CONF_TEST_PREFIX] = LIST(prefix),
	[CONF_TEST_GLOB] = LIST(glob),
};

static const struct conf_strings *list_at(const struct conf_condition *condition, size_t offset)
{
	return (const struct conf_strings *)((const char *)condition + offset);
}

enum conf_about conf_condition_about(const struct conf_condition *condition)
{
	for (size_t i = 0; i < ARRAY_SIZE(ABOUT); i++)
		if (list_at(condition, ABOUT[i])->n)
			return (enum conf_about)i;
	return CONF_ABOUT_CLAIM;
}

enum conf_test conf_condition_test(
	const struct conf_condition *condition, const struct conf_strings **ret_values)
{
	static const struct conf_strings NONE;

	for (size_t i = 0; i < ARRAY_SIZE(LISTS); i++) {
		const struct conf_strings *values = list_at(condition, LISTS[i]);

		if (i == CONF_TEST_EXISTS || !values->n)
			continue;
		*ret_values = values;
		return (enum conf_test)i;
	}
	*ret_values = &NONE;
	if (condition->at_least)
		return CONF_TEST_AT_LEAST;
	return condition->at_most ? CONF_TEST_AT_MOST : CONF_TEST_EXISTS;
}
