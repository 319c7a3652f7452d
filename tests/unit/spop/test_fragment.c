#include "tests/unit/spop/support.h"

#include "spop/fragment.h"

#include <check.h>

static struct spop_frame frame(uint8_t type, uint32_t flags, uint64_t stream_id, uint64_t frame_id)
{
	return (struct spop_frame){
		.type = type, .flags = flags, .stream_id = stream_id, .frame_id = frame_id};
}

static enum spop_status take(struct spop_fragments *f, uint8_t type, uint32_t flags,
	uint64_t stream_id, uint64_t frame_id, enum spop_part *ret)
{
	struct spop_frame next = frame(type, flags, stream_id, frame_id);

	*ret = SPOP_WHOLE;
	return spop_fragments_next(f, &next, ret);
}

#define TAKE(type, flags, stream, number, want)                                                    \
	do {                                                                                       \
		ck_assert_int_eq(                                                                  \
			take(&f, type, flags, stream, number, &part), SPOP_STATUS_NORMAL);         \
		ck_assert_int_eq(part, want);                                                      \
	} while (0)

#define REFUSE(type, flags, stream, number, want)                                                  \
	do {                                                                                       \
		struct spop_fragments before = f;                                                  \
		ck_assert_int_eq(take(&f, type, flags, stream, number, &part), want);              \
		ck_assert(before.open == f.open && before.stream_id == f.stream_id &&              \
			  before.frame_id == f.frame_id);                                          \
	} while (0)

static struct spop_fragments f;
static enum spop_part part;

static void setup(void)
{
	f = (struct spop_fragments){0};
}

START_TEST(whole)
{
	/* Frames with FIN are no fragments, whatever else their flags and type are. */
	TAKE(SPOP_NOTIFY, SPOP_FIN, 0, 1, SPOP_WHOLE);
	TAKE(SPOP_NOTIFY, SPOP_FIN | SPOP_ABORT, 1, 1, SPOP_WHOLE);
	TAKE(SPOP_NOTIFY, 0xffffffff, 1, 1, SPOP_WHOLE);
	TAKE(SPOP_HAPROXY_DISCONNECT, SPOP_FIN, 0, 0, SPOP_WHOLE);
	TAKE(200, SPOP_FIN, 7, 7, SPOP_WHOLE);
	ck_assert(!f.open);
}
END_TEST

START_TEST(one_after_the_other)
{
	/* First, any number between, last; then the next payload. Stream 0 is like any other. */
	for (uint64_t stream = 0; stream < 3; stream++) {
		TAKE(SPOP_NOTIFY, 0, stream, 1, SPOP_FIRST);
		TAKE(SPOP_UNSET, 0, stream, 1, SPOP_MIDDLE);
		TAKE(SPOP_UNSET, SPOP_ABORT, stream, 1,
			SPOP_MIDDLE); /* ABORT without FIN is nothing */
		TAKE(SPOP_UNSET, SPOP_FIN, stream, 1, SPOP_LAST);
		TAKE(SPOP_NOTIFY, SPOP_FIN, 9, 9, SPOP_WHOLE);
	}
}
END_TEST

START_TEST(cancelled)
{
	/* FIN and ABORT end it without an answer; what follows is another payload. */
	TAKE(SPOP_NOTIFY, 0, 5, 2, SPOP_FIRST);
	TAKE(SPOP_UNSET, SPOP_FIN | SPOP_ABORT, 5, 2, SPOP_CANCEL);
	TAKE(SPOP_NOTIFY, SPOP_FIN, 5, 3, SPOP_WHOLE);
	REFUSE(SPOP_UNSET, SPOP_FIN, 5, 2, SPOP_STATUS_NO_FRAME_ID);
}
END_TEST

START_TEST(interlaced)
{
	/* Nothing but its own fragments may come while a payload is open: status 11. */
	TAKE(SPOP_NOTIFY, 0, 5, 2, SPOP_FIRST);
	REFUSE(SPOP_NOTIFY, SPOP_FIN, 6, 2, SPOP_STATUS_INTERLACED);
	REFUSE(SPOP_NOTIFY, 0, 6, 2, SPOP_STATUS_INTERLACED);
	REFUSE(SPOP_NOTIFY, 0, 5, 2, SPOP_STATUS_INTERLACED);
	REFUSE(SPOP_UNSET, SPOP_FIN, 5, 3, SPOP_STATUS_INTERLACED);
	REFUSE(SPOP_UNSET, SPOP_FIN, 6, 2, SPOP_STATUS_INTERLACED);
	TAKE(SPOP_HAPROXY_DISCONNECT, SPOP_FIN, 0, 0, SPOP_WHOLE); /* goodbye is always allowed */
	TAKE(SPOP_UNSET, SPOP_FIN, 5, 2, SPOP_LAST);
}
END_TEST

START_TEST(of_nothing)
{
	/* A fragment of nothing is status 12; other types have no fragments, status 10. */
	REFUSE(SPOP_UNSET, SPOP_FIN, 1, 1, SPOP_STATUS_NO_FRAME_ID);
	REFUSE(SPOP_UNSET, 0, 1, 1, SPOP_STATUS_NO_FRAME_ID);
	REFUSE(SPOP_UNSET, SPOP_FIN | SPOP_ABORT, 1, 1, SPOP_STATUS_NO_FRAME_ID);
	REFUSE(SPOP_HAPROXY_HELLO, 0, 0, 0, SPOP_STATUS_FRAGMENTED);
	REFUSE(SPOP_HAPROXY_DISCONNECT, 0, 0, 0, SPOP_STATUS_FRAGMENTED);
	REFUSE(77, 0, 0, 0, SPOP_STATUS_FRAGMENTED);
}
END_TEST

Suite *suite_fragment(void)
{
	Suite *s = suite_create("fragment");
	TCase *tc = tcase_create("order");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, whole);
	tcase_add_test(tc, one_after_the_other);
	tcase_add_test(tc, cancelled);
	tcase_add_test(tc, interlaced);
	tcase_add_test(tc, of_nothing);
	suite_add_tcase(s, tc);
	return s;
}
