#include "tests/unit/token/suites.h"

#include "token/b64.h"

#include <errno.h>
#include <stdint.h>

static int decode(struct span text, uint8_t *buffer, size_t size, size_t *ret_n)
{
	struct wr w = wr_of(buffer, size);
	int r = token_b64_decode(text, &w);

	*ret_n = wr_len(&w);
	return r;
}

START_TEST(round_trip)
{
	/* Goal: bytes of every length to 100 and every value come back, against a guard page. */
	uint8_t bytes[100];
	char text[200];
	uint8_t back[100];
	size_t n;

	for (size_t len = 0; len <= sizeof(bytes); len++) {
		struct wr w = wr_of(text, token_b64_chars(len));

		for (size_t i = 0; i < len; i++)
			bytes[i] = (uint8_t)(i * 37 + len * 11);
		token_b64_encode((struct span){.p = (char *)bytes, .n = len}, &w);
		ck_assert(!w.bad && wr_len(&w) == token_b64_chars(len));

		struct span s = {.p = guarded(text, wr_len(&w)), .n = wr_len(&w)};

		ck_assert_uint_eq(token_b64_bytes(s.n), len);
		ck_assert_int_eq(decode(s, back, len, &n), 0);
		ck_assert_uint_eq(n, len);
		ck_assert_int_eq(memcmp(bytes, back, len), 0);
		if (len)
			ck_assert_int_eq(decode(s, back, len - 1, &n), -ENOSPC);
	}
}
END_TEST

START_TEST(rfc_text)
{
	/* Goal: RFC 7515 appendix C's example decodes to what it says. */
	static const uint8_t WANT[] = {3, 236, 255, 224, 193};
	uint8_t back[8];
	size_t n;

	ck_assert_int_eq(decode(SPAN("A-z_4ME"), back, sizeof(back), &n), 0);
	ck_assert_uint_eq(n, sizeof(WANT));
	ck_assert_int_eq(memcmp(back, WANT, n), 0);
}
END_TEST

START_TEST(one_text_per_bytes)
{
	/* Goal: attack row 12: of all texts of two and three characters, exactly one per value holds. */
	char text[3];
	int two = 0;
	int three = 0;

	for (int a = 0; a < 256; a++)
		for (int b = 0; b < 256; b++) {
			text[0] = (char)a;
			text[1] = (char)b;
			two += token_b64_check((struct span){.p = text, .n = 2});
		}
	text[0] = 'A';
	for (int a = 0; a < 256; a++)
		for (int b = 0; b < 256; b++) {
			text[1] = (char)a;
			text[2] = (char)b;
			three += token_b64_check((struct span){.p = text, .n = 3});
		}
	ck_assert_int_eq(two, 256);
	ck_assert_int_eq(three, 64 * 16);
}
END_TEST

START_TEST(refused)
{
	/* Goal: attack row 12: padding, white space, the standard alphabet and length 1 mod 4. */
	static const struct span TEXTS[] = {SPAN("Zg=="), SPAN("Zm8="), SPAN("Zm9v\n"),
		SPAN("Zm 9v"), SPAN("Zm9v Zm9"), SPAN("+/+/"), SPAN("Zm9vA"), SPAN("A"), SPAN("Zh"),
		SPAN("Zm9"), SPAN("Zm9v\0AAA"), SPAN("Zm9\xc3\xa9"), SPAN("Zm.v")};
	uint8_t back[16];
	size_t n;

	for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++) {
		ck_assert_msg(
			decode(TEXTS[i], back, sizeof(back), &n) == -EBADMSG, "%s", TEXTS[i].p);
		ck_assert_uint_eq(n, 0);
	}
}
END_TEST

START_TEST(any_character)
{
	/* Goal: at each place of a text the 64 characters are taken, and the other 192 are not. */
	char text[8];
	uint8_t back[6];
	size_t n, taken, n_checked;

	for (size_t i = 0; i < sizeof(text); i++) {
		taken = n_checked = 0;
		for (int c = 0; c < 256; c++) {
			struct span s = {text, sizeof(text)};

			memset(text, 'A', sizeof(text));
			text[i] = (char)c;
			taken += decode(s, back, sizeof(back), &n) == 0 && n == sizeof(back);
			n_checked += token_b64_check(s);
		}
		ck_assert_uint_eq(taken, 64);
		ck_assert_uint_eq(n_checked, 64);
	}
}
END_TEST

Suite *suite_b64(void)
{
	Suite *suite = suite_create("b64");
	TCase *tc = tcase_create("b64");

	tcase_add_test(tc, round_trip);
	tcase_add_test(tc, rfc_text);
	tcase_add_test(tc, one_text_per_bytes);
	tcase_add_test(tc, refused);
	tcase_add_test(tc, any_character);
	suite_add_tcase(suite, tc);
	return suite;
}
