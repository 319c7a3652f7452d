#include "tests/unit/base/suites.h"

#include "base/siphash.h"

START_TEST(vectors)
{
	/* Goal: the authors' own vectors: key 00..0f, texts of 0 to 8 and 15 of the same bytes. */
	static const struct {
		size_t n;
		uint64_t want;
	} CASES[] = {
		{0, UINT64_C(0x726fdb47dd0e0e31)},
		{1, UINT64_C(0x74f839c593dc67fd)},
		{2, UINT64_C(0x0d6c8009d9a94f5a)},
		{7, UINT64_C(0xab0200f58b01d137)},
		{8, UINT64_C(0x93f5f5799a932462)},
		{15, UINT64_C(0xa129ca6149be45e5)},
	};
	static const struct base_siphash_key KEY = {
		UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
	char text[16];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)i;
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
		ck_assert_uint_eq(
			base_siphash(&KEY, (struct span){text, CASES[i].n}), CASES[i].want);
}
END_TEST

Suite *siphash_suite(void)
{
	Suite *suite = suite_create("siphash");
	TCase *tcase = tcase_create("siphash");

	tcase_add_test(tcase, vectors);
	suite_add_tcase(suite, tcase);
	return suite;
}
