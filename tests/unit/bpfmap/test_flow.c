#include "bpfmap/bpfmap.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

Suite *suite_flow(void);

#define A4     "\x0a\x01\x02\x03"
#define B4     "\xc0\x00\x02\x09"
#define MAP(x) "\0\0\0\0\0\0\0\0\0\0\xff\xff" x
#define A6     "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
#define B6     "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02"

static const struct {
	const char *remote, *local;
	size_t remote_len, local_len;
	uint8_t family; /* 0: -EINVAL */
	const char *key_remote, *key_local;
} keys[] = {
	{A4, B4, 4, 4, BPFMAP_FAMILY_IPV4, A4, B4},
	{MAP(A4), MAP(B4), 16, 16, BPFMAP_FAMILY_IPV4, A4, B4},
	{MAP(A4), B4, 16, 4, BPFMAP_FAMILY_IPV4, A4, B4},
	{A4, MAP(B4), 4, 16, BPFMAP_FAMILY_IPV4, A4, B4},
	{A6, B6, 16, 16, BPFMAP_FAMILY_IPV6, A6, B6},
	/* IPv4-compatible, ::a.b.c.d, is not mapped. */
	{"\0\0\0\0\0\0\0\0\0\0\0\0" A4, B6, 16, 16, BPFMAP_FAMILY_IPV6,
		"\0\0\0\0\0\0\0\0\0\0\0\0" A4, B6},
	{A6, B4, 16, 4, 0, NULL, NULL},
	{A4, B6, 4, 16, 0, NULL, NULL},
	{A6, MAP(B4), 16, 16, 0, NULL, NULL},
	{MAP(A4), B6, 16, 16, 0, NULL, NULL},
	{"", "", 0, 0, 0, NULL, NULL},
};

START_TEST(key_of_every_family)
{
	/* Goal: addresses become the key that the kernel makes, mapped ones as IPv4. */
	struct bpfmap_flow_key key, before, expected = {.remote_port = 40000, .local_port = 443};
	int err;

	memset(&key, 0xaa, sizeof(key));
	before = key;
	err = bpfmap_flow_key((const uint8_t *)keys[_i].remote, keys[_i].remote_len, 40000,
		(const uint8_t *)keys[_i].local, keys[_i].local_len, 443, &key);
	ck_assert_int_eq(err, keys[_i].family ? 0 : -EINVAL);
	if (err) {
		ck_assert_mem_eq(&key, &before, sizeof(key));
		return;
	}
	expected.family = keys[_i].family;
	memcpy(expected.remote_addr, keys[_i].key_remote,
		expected.family == BPFMAP_FAMILY_IPV4 ? 4 : 16);
	memcpy(expected.local_addr, keys[_i].key_local,
		expected.family == BPFMAP_FAMILY_IPV4 ? 4 : 16);
	ck_assert_mem_eq(&key, &expected, sizeof(key));
}
END_TEST

START_TEST(key_refuses_every_other_length)
{
	/* Goal: only 4 and 16 bytes are addresses, and no more is read than there is. */
	struct bpfmap_flow_key key;

	for (size_t n = 0; n < 20; n++) {
		uint8_t *exact = calloc(1, n ? n : 1);
		int err = bpfmap_flow_key(exact, n, 1, exact, n, 2, &key);

		ck_assert_int_eq(err, n == 4 || n == 16 ? 0 : -EINVAL);
		free(exact);
	}
}
END_TEST

Suite *suite_flow(void)
{
	Suite *suite = suite_create("bpfmap/flow");
	TCase *tcase = tcase_create("all");

	tcase_add_loop_test(tcase, key_of_every_family, 0, ARRAY_SIZE(keys));
	tcase_add_test(tcase, key_refuses_every_other_length);
	suite_add_tcase(suite, tcase);
	return suite;
}
