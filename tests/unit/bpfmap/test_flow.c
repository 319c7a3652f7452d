#include "bpfmap/flow.h"

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

#define COOKIE  0x1234567890abcdefULL
#define SHARED  BPFMAP_FLOW_SHARED
#define REVOKED BPFMAP_FLOW_REVOKED
#define KILL    BPFMAP_FLOW_KILL

/* identity, flags, expires, cookie, subject */
static const struct {
	const char *name;
	struct bpfmap_flow now;
	struct bpfmap_binding binding;
	enum bpfmap_bound bound;
	struct bpfmap_flow next;
} merges[] = {
	{"first", {0, 0, 0, COOKIE, 0}, {7, 70, 0, false}, BPFMAP_BOUND, {7, 0, 0, COOKIE, 70}},
	{"first, with expiry", {0, 0, 0, COOKIE, 0}, {7, 70, 99, true}, BPFMAP_BOUND,
		{7, KILL, 99, COOKIE, 70}},
	{"again", {7, KILL, 99, COOKIE, 70}, {7, 70, 99, true}, BPFMAP_UNCHANGED,
		{7, KILL, 99, COOKIE, 70}},
	{"refreshed token", {7, KILL, 99, COOKIE, 70}, {7, 70, 199, true}, BPFMAP_BOUND,
		{7, KILL, 199, COOKIE, 70}},
	{"another role", {7, KILL, 99, COOKIE, 70}, {8, 70, 99, true}, BPFMAP_BOUND,
		{8, KILL, 99, COOKIE, 70}},
	{"no kill any more", {7, KILL, 99, COOKIE, 70}, {7, 70, 99, false}, BPFMAP_BOUND,
		{7, 0, 99, COOKIE, 70}},
	{"another subject", {7, KILL, 99, COOKIE, 70}, {7, 71, 99, true}, BPFMAP_SHARED,
		{0, SHARED, 0, COOKIE, 0}},
	{"shared stays, third subject", {0, SHARED, 0, COOKIE, 0}, {7, 72, 99, true}, BPFMAP_SHARED,
		{0, SHARED, 0, COOKIE, 0}},
	{"revoked stays for the same subject", {7, REVOKED, 99, COOKIE, 70}, {7, 70, 199, false},
		BPFMAP_BOUND, {7, REVOKED, 199, COOKIE, 70}},
	{"revoked stays for another subject", {7, REVOKED, 99, COOKIE, 70}, {7, 71, 99, false},
		BPFMAP_SHARED, {0, SHARED | REVOKED, 0, COOKIE, 0}},
	{"identity without subject is somebody else's", {7, 0, 0, COOKIE, 0}, {7, 70, 0, false},
		BPFMAP_SHARED, {0, SHARED, 0, COOKIE, 0}},
	{"subject without identity, the same", {0, 0, 0, COOKIE, 70}, {7, 70, 0, false},
		BPFMAP_BOUND, {7, 0, 0, COOKIE, 70}},
};

START_TEST(merge_every_case)
{
	/* Goal: every state of an entry meets every kind of binding as the header says. */
	struct bpfmap_flow next;

	ck_assert_msg(
		bpfmap_flow_merge(&merges[_i].now, &merges[_i].binding, &next) == merges[_i].bound,
		"%s", merges[_i].name);
	ck_assert_msg(!memcmp(&next, &merges[_i].next, sizeof(next)), "%s", merges[_i].name);
}
END_TEST

START_TEST(same_sees_every_field)
{
	/* Goal: two entries that differ in one field are not the same. */
	const struct bpfmap_flow a = {1, 2, 3, 4, 5};
	const struct bpfmap_flow others[] = {
		{0, 2, 3, 4, 5},
		{1, 0, 3, 4, 5},
		{1, 2, 0, 4, 5},
		{1, 2, 3, 0, 5},
		{1, 2, 3, 4, 0},
	};

	ck_assert(bpfmap_flow_same(&a, &a));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		ck_assert(!bpfmap_flow_same(&a, &others[i]));
}
END_TEST

Suite *suite_flow(void)
{
	Suite *suite = suite_create("bpfmap/flow");
	TCase *tcase = tcase_create("all");

	tcase_add_loop_test(tcase, key_of_every_family, 0, ARRAY_SIZE(keys));
	tcase_add_test(tcase, key_refuses_every_other_length);
	tcase_add_loop_test(tcase, merge_every_case, 0, ARRAY_SIZE(merges));
	tcase_add_test(tcase, same_sees_every_field);
	suite_add_tcase(suite, tcase);
	return suite;
}
