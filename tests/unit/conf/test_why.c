#include "conf/why.h"

#include "suites.h"

START_TEST(translates)
{
	/* A known problem gets our sentence and place; an unknown one stays; none gets a word too. */
	bool start = true;

	ck_assert_str_eq(conf_why("could not find expected ':'", &start),
		"a key needs a ':' and a blank after it");
	ck_assert(start);
	ck_assert_str_eq(conf_why("did not find expected node content", &start),
		"a value was expected here");
	ck_assert(!start);
	ck_assert_str_eq(conf_why("something new", &start), "something new");
	ck_assert(!start);
	ck_assert_str_eq(conf_why(NULL, &start), "this cannot be read as YAML");
}
END_TEST

SUITE(why, ONE(translates))
