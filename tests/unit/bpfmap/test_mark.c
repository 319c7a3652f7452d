#include "bpfmap/mark.h"

#include "base/mem.h"

#include <check.h>

Suite *suite_mark(void);

static const struct {
	__u32 identity, clusters, mark;
} marks[] = {
	{70001, 255, 0x11710B01}, /* cilium.md 4.1's example */
	{256, 255, 0x01000B00}, {65535, 255, 0xFFFF0B00}, {0xFFFFFF, 255, 0xFFFF0BFF},
	/* cilium-verified.md 4 and 7, with our magic: set_identity_mark, get_identity, two clusters. */
	{51966, 255, 0xcafe0b00}, {1000001, 255, 0x42410b0f}, {379646, 255, 0xcafe0b05},
	{331922, 255, 0x10920b05}, {196915, 255, 0x01330b03}, {0x123456, 255, 0x34560B12},
	{256, 511, 0x01000B00}, {32767, 511, 0x7FFF0B00},
	{32768, 511, 0x00000B01},    /* cluster 1, local 0 */
	{0x7FFFFF, 511, 0x7FFF0BFF}, /* cluster 255 */
	{0x800000, 511, 0x80000B00}, /* cluster 256: bit 31 */
	{0xFFFFFF, 511, 0xFFFF0BFF}, /* cluster 511 */
};

START_TEST(there_and_back)
{
	/* Goal: known pairs, in both directions, for both numbers of clusters. */
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		ck_assert_uint_eq(
			bpfmap_mark_encode(marks[i].identity, marks[i].clusters), marks[i].mark);
		ck_assert_uint_eq(
			bpfmap_mark_decode(marks[i].mark, marks[i].clusters), marks[i].identity);
	}
}
END_TEST

START_TEST(every_identity)
{
	/* Goal: no two identities share a mark, and each carries our magic and no other. */
	for (__u32 identity = BPFMAP_MARK_MIN; identity <= BPFMAP_MARK_MAX; identity++) {
		__u32 mark = bpfmap_mark_encode(identity, _i ? 511 : 255);

		/* 0x4000 and 0x8000 are Kubernetes' (kube-proxy, cilium.md 4.1). */
		if ((mark & 0xFF00) != BPFMAP_MARK_MAGIC ||
			bpfmap_mark_decode(mark, _i ? 511 : 255) != identity)
			ck_abort_msg("identity %u", identity);
	}
}
END_TEST

START_TEST(not_for_marks)
{
	/* Goal: reserved numbers, those with a scope, and marks of others are nobody. */
	static const __u32 others[] = {
		0, 0x11710A01, 0x11710C01, 0x11710F01, 0x11710301, 0x00000B00, 0x00FF0B00, 5};

	ck_assert_uint_eq(bpfmap_mark_encode(0, 255), 0);
	ck_assert_uint_eq(bpfmap_mark_encode(255, 255), 0);
	for (__u32 clusters = 255; clusters <= 511; clusters += 256) {
		ck_assert_uint_eq(bpfmap_mark_encode(0x01000000, clusters), 0);
		ck_assert_uint_eq(bpfmap_mark_encode(0x01000001, clusters), 0);
		ck_assert_uint_eq(bpfmap_mark_encode(0x02000001, clusters), 0);
		ck_assert_uint_eq(bpfmap_mark_encode(UINT32_MAX, clusters), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		ck_assert_uint_eq(bpfmap_mark_decode(others[i], 255), 0);
}
END_TEST

Suite *suite_mark(void)
{
	Suite *suite = suite_create("bpfmap/mark");
	TCase *tcase = tcase_create("all");

	tcase_add_test(tcase, there_and_back);
	tcase_add_loop_test(tcase, every_identity, 0, 2);
	tcase_add_test(tcase, not_for_marks);
	suite_add_tcase(suite, tcase);
	return suite;
}
