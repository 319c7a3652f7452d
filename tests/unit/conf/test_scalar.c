#include "conf/scalar.h"

#include "suites.h"

#include <errno.h>
#include <string.h>

static const struct {
	enum conf_type type;
	const char *text;
	int err;
	int64_t value;
} FORMS[] = {
	{CONF_BOOL, "true", 0, 1},
	{CONF_BOOL, "false", 0, 0},
	{CONF_BOOL, "yes", -EINVAL, 0},
	{CONF_BOOL, "no", -EINVAL, 0},
	{CONF_BOOL, "True", -EINVAL, 0},
	{CONF_BOOL, "1", -EINVAL, 0},
	{CONF_BOOL, "", -EINVAL, 0},
	{CONF_INT, "0", 0, 0},
	{CONF_INT, "-1", 0, -1},
	{CONF_INT, "65536", 0, 65536},
	{CONF_INT, "9223372036854775807", 0, INT64_MAX},
	{CONF_INT, "9223372036854775808", -ERANGE, 0},
	{CONF_INT, "99999999999999999999999999", -ERANGE, 0},
	{CONF_INT, "99999999999999999999999999x", -EINVAL, 0},
	{CONF_INT, "", -EINVAL, 0},
	{CONF_INT, "-", -EINVAL, 0},
	{CONF_INT, "+1", -EINVAL, 0},
	{CONF_INT, "007", -EINVAL, 0},
	{CONF_INT, "0x10", -EINVAL, 0},
	{CONF_INT, "1_000", -EINVAL, 0},
	{CONF_INT, "1.0", -EINVAL, 0},
	{CONF_INT, "1 ", -EINVAL, 0},
	{CONF_INT, " 1", -EINVAL, 0},
	{CONF_DURATION, "150ms", 0, 150},
	{CONF_DURATION, "30s", 0, 30000},
	{CONF_DURATION, "5m", 0, 300000},
	{CONF_DURATION, "24h", 0, 86400000},
	{CONF_DURATION, "7d", 0, 604800000},
	{CONF_DURATION, "0", 0, 0},
	{CONF_DURATION, "0s", 0, 0},
	{CONF_DURATION, "150", -EINVAL, 0},
	{CONF_DURATION, "1.5s", -EINVAL, 0},
	{CONF_DURATION, "1h30m", -EINVAL, 0},
	{CONF_DURATION, "1 s", -EINVAL, 0},
	{CONF_DURATION, "1S", -EINVAL, 0},
	{CONF_DURATION, "-1s", -EINVAL, 0},
	{CONF_DURATION, "s", -EINVAL, 0},
	{CONF_DURATION, "1us", -EINVAL, 0},
	{CONF_DURATION, "106751991167d", 0, INT64_C(106751991167) * 86400000},
	{CONF_DURATION, "106751991168d", -ERANGE, 0},
	{CONF_SIZE, "16380", 0, 16380},
	{CONF_SIZE, "8KiB", 0, 8192},
	{CONF_SIZE, "1MiB", 0, 1048576},
	{CONF_SIZE, "2GiB", 0, INT64_C(2147483648)},
	{CONF_SIZE, "8589934592GiB", -ERANGE, 0},
	{CONF_SIZE, "8K", -EINVAL, 0},
	{CONF_SIZE, "8KB", -EINVAL, 0},
	{CONF_SIZE, "8kib", -EINVAL, 0},
	{CONF_MODE, "0660", 0, 0660},
	{CONF_MODE, "0000", 0, 0},
	{CONF_MODE, "0777", 0, 0777},
	{CONF_MODE, "660", -EINVAL, 0},
	{CONF_MODE, "1777", -EINVAL, 0},
	{CONF_MODE, "0680", -EINVAL, 0},
	{CONF_MODE, "00660", -EINVAL, 0},
	{CONF_MODE, "066", -EINVAL, 0},
	{CONF_MODE, "0660x", -EINVAL, 0},
	{CONF_TEXT, "1", -EINVAL, 0},
};

START_TEST(reads_one_form_only)
{
	/* Each type reads exactly its written form, and a failure leaves the output alone. */
	int64_t value = 4711;

	ck_assert_int_eq(conf_scalar_parse(FORMS[_i].type, FORMS[_i].text, &value), FORMS[_i].err);
	ck_assert_int_eq(value, FORMS[_i].err ? 4711 : FORMS[_i].value);
}
END_TEST

START_TEST(formats_what_it_reads)
{
	/* Whatever was read is written so that reading it again gives the same value. */
	char text[CONF_SCALAR_TEXT];
	int64_t value = -1;

	if (FORMS[_i].err)
		return;
	conf_scalar_format(FORMS[_i].type, FORMS[_i].value, text);
	ck_assert_int_eq(conf_scalar_parse(FORMS[_i].type, text, &value), 0);
	ck_assert_int_eq(value, FORMS[_i].value);
}
END_TEST

START_TEST(formats_in_the_largest_unit)
{
	/* People read 24h, not 86400000 of something. */
	static const struct {
		enum conf_type type;
		int64_t value;
		const char *text;
	} ROWS[] = {{CONF_DURATION, 86400000, "1d"}, {CONF_DURATION, 90000, "90s"},
		{CONF_DURATION, 999, "999ms"}, {CONF_SIZE, 16384, "16KiB"},
		{CONF_SIZE, 16380, "16380"}, {CONF_MODE, 0660, "0660"}, {CONF_MODE, 0, "0000"},
		{CONF_INT, -5, "-5"}, {CONF_BOOL, 1, "true"}};
	char text[CONF_SCALAR_TEXT];

	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		conf_scalar_format(ROWS[i].type, ROWS[i].value, text);
		ck_assert_str_eq(text, ROWS[i].text);
	}
}
END_TEST

START_TEST(finds_words)
{
	/* A word is found by its place, and only as a whole. */
	ck_assert_int_eq(conf_scalar_word("auto required off", "auto"), 0);
	ck_assert_int_eq(conf_scalar_word("auto required off", "off"), 2);
	ck_assert_int_eq(conf_scalar_word("auto required off", "of"), -1);
	ck_assert_int_eq(conf_scalar_word("auto required off", "offx"), -1);
	ck_assert_int_eq(conf_scalar_word("auto required off", ""), -1);
	ck_assert_int_eq(conf_scalar_word("auto required off", "auto required"), -1);
}
END_TEST

static const struct {
	const char *text;
	const char *host; /* NULL: refused */
	uint16_t port;
} ADDRESSES[] = {
	{"127.0.0.1:9909", "127.0.0.1", 9909},
	{"0.0.0.0:1", "0.0.0.0", 1},
	{"[::1]:65535", "::1", 65535},
	{"[::ffff:1.2.3.4]:80", "::ffff:1.2.3.4", 80},
	{"127.0.0.1:0", NULL, 0},
	{"127.0.0.1:65536", NULL, 0},
	{"127.0.0.1:-1", NULL, 0},
	{"127.0.0.1:", NULL, 0},
	{"127.0.0.1", NULL, 0},
	{":80", NULL, 0},
	{"[]:80", NULL, 0},
	{"[:80", NULL, 0},
	{"[::1:80", NULL, 0},
	{"::1:80", NULL, 0},
	{"[127.0.0.1]:80", NULL, 0},
	{"localhost:80", NULL, 0},
	{"127.1:80", NULL, 0},
	{"127.0.0.1:80 ", NULL, 0},
	{"1111111111111111111111111111111111111111111111111111111111111111:80", NULL, 0},
	{"", NULL, 0},
};

START_TEST(reads_literal_addresses)
{
	/* Only a literal address and a real port pass; a failure leaves the outputs alone. */
	char host[CONF_SCALAR_HOST] = "before";
	uint16_t port = 4711;
	int err = conf_scalar_address(ADDRESSES[_i].text, host, &port);

	ck_assert_int_eq(err, ADDRESSES[_i].host ? 0 : -EINVAL);
	ck_assert_str_eq(host, ADDRESSES[_i].host ? ADDRESSES[_i].host : "before");
	ck_assert_uint_eq(port, ADDRESSES[_i].host ? ADDRESSES[_i].port : 4711);
}
END_TEST

SUITE(scalar, EACH(reads_one_form_only, FORMS), EACH(formats_what_it_reads, FORMS),
	ONE(formats_in_the_largest_unit), ONE(finds_words),
	EACH(reads_literal_addresses, ADDRESSES))
