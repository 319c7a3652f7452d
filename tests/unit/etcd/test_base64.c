#include "tests/unit/etcd/suites.h"

#include "etcd/base64.h"

#include <errno.h>
#include <string.h>

static const struct {
	const char *bytes, *text;
} PAIRS[] = {
	/* RFC 4648 10 */
	{"", ""},
	{"f", "Zg=="},
	{"fo", "Zm8="},
	{"foo", "Zm9v"},
	{"foob", "Zm9vYg=="},
	{"fooba", "Zm9vYmE="},
	{"foobar", "Zm9vYmFy"},
	{"\xfb\xff\xbf", "+/+/"},
};

START_TEST(pairs)
{
	/* Goal: the vectors of RFC 4648 both ways. */
	char text[64], bytes[64];
	size_t n;

	etcd_base64_encode(span_of(PAIRS[_i].bytes), text);
	ck_assert_str_eq(text, PAIRS[_i].text);
	ck_assert_uint_eq(ETCD_BASE64_SIZE(strlen(PAIRS[_i].bytes)), strlen(text));
	ck_assert_int_eq(etcd_base64_decode(span_of(text), bytes, &n), 0);
	ck_assert_uint_eq(n, strlen(PAIRS[_i].bytes));
	ck_assert_mem_eq(bytes, PAIRS[_i].bytes, n);
}
END_TEST

START_TEST(round_trip)
{
	/* Goal: every byte at every place of a group comes back. */
	char bytes[7], text[16], again[16];
	size_t n;

	for (size_t len = 0; len <= sizeof(bytes); len++)
		for (unsigned c = 0; c < 256; c++) {
			memset(bytes, (int)c, sizeof(bytes));
			if (len)
				bytes[len - 1] = (char)(c + 1);
			etcd_base64_encode((struct span){.p = bytes, .n = len}, text);
			ck_assert_int_eq(etcd_base64_decode(span_of(text), again, &n), 0);
			ck_assert_uint_eq(n, len);
			ck_assert_mem_eq(again, bytes, n);
		}
}
END_TEST

static const char *const BAD[] = {"Z", "Zg", "Zg=", "Zg===", "====", "Zh==", "Zm9=", "Zm-v", "Zm v",
	"Zg==Zm9v", "Z===", "=m9v", "Zm9v\n"};

START_TEST(bad)
{
	/* Goal: what is no base64, or not the one text of its bytes, is refused. */
	char bytes[64];
	size_t n = 77;

	ck_assert_int_eq(etcd_base64_decode(span_of(BAD[_i]), bytes, &n), -EINVAL);
	ck_assert_uint_eq(n, 77);
}
END_TEST

Suite *suite_base64(void)
{
	Suite *s = suite_create("etcd/base64");
	TCase *tc = tcase_create("base64");

	tcase_add_loop_test(tc, pairs, 0, ARRAY_SIZE(PAIRS));
	tcase_add_test(tc, round_trip);
	tcase_add_loop_test(tc, bad, 0, ARRAY_SIZE(BAD));
	suite_add_tcase(s, tc);
	return s;
}
