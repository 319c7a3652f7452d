#include "conf/keys.h"

#include "base/mem.h"
#include "suites.h"

#include <stdio.h>
#include <string.h>

static char *print_keys(void)
{
	char *text = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&text, &n);

	conf_print_keys(to);
	fclose(to);
	return text;
}

START_TEST(tells_a_row)
{
	/* A key is told with its path, type, range, default, when it changes, and its help. */
	cleanup(free) char *text = print_keys();

	ck_assert_ptr_nonnull(strstr(text,
		"\nspop.deadline\n\ttakes: a duration, 5ms to 999ms\n\tdefault: 150ms\n"
		"\tchanges: on reload\n\tTime for one answer, "));
	ck_assert_ptr_nonnull(strstr(text,
		"\nbpf.mode\n\ttakes: one word out of auto, required, off\n\tdefault: auto\n"
		"\tchanges: on restart\n\tWhat to do "));
	ck_assert_ptr_nonnull(strstr(text,
		"\nproviders[].exports[].claim\n\ttakes: a list of texts, 1 to 8 entries\n"
		"\tdefault: none, must be given\n\tchanges: on reload\n"
		"\texample: ['https://example.com/team']\n\tThe claim to hand on"));
	ck_assert_ptr_nonnull(
		strstr(text, "\nspop\n\ttakes: a map of keys\n\tThe talk with HAProxy.\n"));
}
END_TEST

static size_t count_rows(const struct conf_section *section)
{
	size_t n = section->n_keys;

	for (size_t i = 0; i < section->n_keys; i++)
		if (section->keys[i].section)
			n += count_rows(section->keys[i].section);
	return n;
}

START_TEST(tells_every_row)
{
	/* There is one paragraph per row. */
	cleanup(free) char *text = print_keys();
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, "\ttakes: ")); p++)
		n++;
	ck_assert_uint_eq(n, count_rows(&conf_keys));
}
END_TEST

START_TEST(names_types)
{
	/* Every type has a name. */
	for (int type = 0; type < CONF_TYPES; type++)
		ck_assert_ptr_nonnull(conf_type_name((enum conf_type)type));
}
END_TEST

SUITE(describe, ONE(tells_a_row), ONE(tells_every_row), ONE(names_types))
