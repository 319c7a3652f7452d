#include "tests/unit/net/suites.h"

#include "base/mem.h"
#include "net/header.h"

static const struct {
	const char *lines[4];
	const char *etag;
	int64_t max_age_s, age_s;
} HEADS[] = {
	{{"HTTP/1.1 200 OK\r\n"}, "", -1, 0},
	{{"ETag: \"abc\"\r\n"}, "\"abc\"", -1, 0},
	{{"etag:W/\"abc\" \r\n"}, "W/\"abc\"", -1, 0},
	{{"ETag: \"a b\"\r\n"}, "", -1, 0},
	{{"ETag: \"a\001\"\r\n"}, "", -1, 0},
	{{"ETag:\r\n"}, "", -1, 0},
	{{"Cache-Control: max-age=60\r\n"}, "", 60, 0},
	{{"CACHE-CONTROL: public, MAX-AGE = 60 ,must-revalidate\r\n"}, "", 60, 0},
	{{"cache-control: max-age=\"60\"\r\n"}, "", 60, 0},
	{{"cache-control: s-maxage=60, xmax-age=5\r\n"}, "", -1, 0},
	{{"cache-control: max-age=60, max-age=30\r\n"}, "", 30, 0},
	{{"cache-control: max-age=60\r\n", "cache-control: max-age=90\r\n"}, "", 60, 0},
	{{"cache-control: no-store, max-age=60\r\n"}, "", 0, 0},
	{{"cache-control: no-cache\r\n"}, "", 0, 0},
	{{"cache-control: max-age=-1\r\n"}, "", -1, 0},
	{{"cache-control: max-age=\r\n"}, "", -1, 0},
	{{"cache-control: max-age\r\n"}, "", -1, 0},
	{{"cache-control: max-age=1e9\r\n"}, "", -1, 0},
	{{"cache-control: max-age=\"\r\n"}, "", -1, 0},
	{{"cache-control: ,,=,;\r\n"}, "", -1, 0},
	{{"cache-control: max-age=99999999999999999999999\r\n"}, "", 31536000, 0},
	{{"cache-control: max-age=60\r\n", "Age: 20\r\n"}, "", 60, 20},
	{{"Age: old\r\n"}, "", -1, 0},
	{{"no colon at all\r\n"}, "", -1, 0},
	{{"\r\n"}, "", -1, 0},
	{{""}, "", -1, 0},
	/* The head of a proxy's answer, or an early one, comes before the real one. */
	{{"ETag: \"early\"\r\n", "cache-control: max-age=1\r\n", "Age: 3\r\n",
		 "HTTP/1.1 200 OK\r\n"},
		"", -1, 0},
};

START_TEST(heads)
{
	/* Goal: what a head says about keeping is taken; what is malformed says nothing. */
	struct net_answer answer = {.max_age_s = -1};

	for (size_t i = 0; i < 4 && HEADS[_i].lines[i]; i++)
		net_header_take(&answer, span_of(HEADS[_i].lines[i]));
	ck_assert_str_eq(answer.etag, HEADS[_i].etag);
	ck_assert_int_eq(answer.max_age_s, HEADS[_i].max_age_s);
	ck_assert_int_eq(answer.age_s, HEADS[_i].age_s);
}
END_TEST

START_TEST(long_etag)
{
	/* Goal: an ETag is kept whole or not at all. */
	struct net_answer answer = {.max_age_s = -1};
	char line[200] = "ETag: ";

	memset(line + 6, 'x', NET_ETAG_MAX);
	net_header_take(&answer, (struct span){.p = line, .n = 6 + NET_ETAG_MAX});
	ck_assert_uint_eq(strlen(answer.etag), NET_ETAG_MAX);
	memset(line + 6, 'y', NET_ETAG_MAX + 1);
	net_header_take(&answer, (struct span){.p = line, .n = 6 + NET_ETAG_MAX + 1});
	ck_assert_int_eq(answer.etag[0], 'x');
}
END_TEST

Suite *suite_header(void)
{
	Suite *s = suite_create("net/header");
	TCase *tc = tcase_create("header");

	tcase_add_loop_test(tc, heads, 0, ARRAY_SIZE(HEADS));
	tcase_add_test(tc, long_etag);
	suite_add_tcase(s, tc);
	return s;
}
