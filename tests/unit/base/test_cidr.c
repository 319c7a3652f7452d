#include "base/cidr.h"
#include "tests/unit/base/suites.h"

#include <arpa/inet.h>
#include <errno.h>

static const struct {
	const char *text;
	int rc;
	uint8_t bits;
} PARSE[] = {
	{"192.0.2.7", 0, 128},
	{"192.0.2.0/24", 0, 120},
	{"0.0.0.0/0", 0, 96},
	{"::/0", 0, 0},
	{"2001:db8::/32", 0, 32},
	{"::1", 0, 128},
	{"255.255.255.255/32", 0, 128},
	{"::ffff:10.0.0.0/104", 0, 104},
	{"192.0.2.1/24", -ERANGE, 0},
	{"::1/127", -ERANGE, 0},
	{"1.0.0.0/0", -ERANGE, 0},
	{"", -EINVAL, 0},
	{"/8", -EINVAL, 0},
	{"10.0.0.0/", -EINVAL, 0},
	{"10.0.0.0/33", -EINVAL, 0},
	{"10.0.0.0/08", -EINVAL, 0},
	{"10.0.0.0/-1", -EINVAL, 0},
	{"10.0.0.0/8 ", -EINVAL, 0},
	{"10.0.0.0/4294967304", -EINVAL, 0},
	{"::/129", -EINVAL, 0},
	{"10.1", -EINVAL, 0},
	{"[::1]", -EINVAL, 0},
	{"localhost", -EINVAL, 0},
	{"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/8", -EINVAL, 0},
};

START_TEST(parse)
{
	/* Each written form is taken or refused, and a refusal leaves the output alone. */
	struct base_cidr cidr = {.bits = 77};

	ck_assert_int_eq(base_cidr_parse(PARSE[_i].text, &cidr), PARSE[_i].rc);
	ck_assert_uint_eq(cidr.bits, PARSE[_i].rc ? 77 : PARSE[_i].bits);
}
END_TEST

static const struct {
	const char *range, *address;
	bool has;
} HAS[] = {
	{"192.0.2.0/24", "192.0.2.255", true},
	{"192.0.2.0/24", "192.0.3.0", false},
	{"192.0.2.0/23", "192.0.3.0", true},
	{"192.0.2.128/25", "192.0.2.127", false},
	{"192.0.2.7", "192.0.2.7", true},
	{"192.0.2.7", "192.0.2.6", false},
	{"0.0.0.0/0", "203.0.113.9", true},
	{"0.0.0.0/0", "::1", false},
	{"::/0", "203.0.113.9", true},
	{"10.0.0.0/8", "::ffff:10.1.2.3", true},
	{"2001:db8::/33", "2001:db8:7fff::1", true},
	{"2001:db8::/33", "2001:db8:8000::1", false},
	{"::1", "::1", true},
	{"::1", "::2", false},
};

START_TEST(has)
{
	/* An address is in a range exactly if the bits that count are the same. */
	struct base_cidr range;
	uint8_t bytes[16], address[16];
	bool v4 = inet_pton(AF_INET, HAS[_i].address, bytes) == 1;

	ck_assert(v4 || inet_pton(AF_INET6, HAS[_i].address, bytes) == 1);
	base_cidr_address(bytes, v4 ? 4 : 16, address);
	ck_assert_int_eq(base_cidr_parse(HAS[_i].range, &range), 0);
	ck_assert_int_eq(base_cidr_has(&range, address), HAS[_i].has);
}
END_TEST

Suite *cidr_suite(void)
{
	Suite *suite = suite_create("cidr");
	TCase *tc = tcase_create("cidr");

	tcase_add_loop_test(tc, parse, 0, ARRAY_SIZE(PARSE));
	tcase_add_loop_test(tc, has, 0, ARRAY_SIZE(HAS));
	suite_add_tcase(suite, tc);
	return suite;
}
