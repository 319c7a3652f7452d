#include "tests/unit/spoa/suites.h"

#include "spoa/recent.h"
#include "tests/unit/spoa/help.h"

#include <jansson.h>

static const struct audit_style STYLE = {.node_name = "default/n"};
static struct ev_loop *loop;
static struct spoa_recent *recent;

static void setup(void)
{
	loop = ev_loop_new(EVFLAG_AUTO);
	recent = spoa_recent_new(loop, 2, &STYLE);
	ck_assert_ptr_nonnull(recent);
}

static void teardown(void)
{
	spoa_recent_free(recent);
	ev_loop_destroy(loop);
}

static void put(unsigned ring, const char *reqid)
{
	struct audit_entry entry = {.kind = AUDIT_REQUEST, .verdict = AUDIT_DROPPED};

	entry.text[AUDIT_TEXT_REQID] = span_of(reqid);
	spoa_recent_put(recent, ring, &entry);
}

static json_t *ask(uint64_t after, size_t limit, size_t *ret_n, int64_t *ret_next)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	json_t *json;

	spoa_recent_write(recent, after, limit, to);
	ck_assert_int_eq(fclose(to), 0);
	json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_msg(json != NULL, "%s", text);
	*ret_n = json_array_size(json_object_get(json, "decisions"));
	*ret_next = json_integer_value(json_object_get(json, "next"));
	free(text);
	return json;
}

START_TEST(numbers)
{
	/* Each line is handed out once to whoever asks for what comes after; the newest first of all. */
	size_t n;
	int64_t next;

	json_decref(ask(0, 10, &n, &next));
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(next, 0);
	for (int i = 0; i < 5; i++)
		put((unsigned)i % 2, "r");
	json_decref(ask(0, 3, &n, &next));
	ck_assert_uint_eq(n, 3);
	ck_assert_int_eq(next, 5);
	json_decref(ask(5, 3, &n, &next));
	ck_assert_uint_eq(n, 0);
	put(1, "last");
	json_t *json = ask(5, 3, &n, &next);
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(next, 6);
	ck_assert_str_eq(
		json_string_value(json_object_get(
			json_object_get(
				json_array_get(json_object_get(json, "decisions"), 0), "flow"),
			"verdict")),
		"DROPPED");
	json_decref(json);
}
END_TEST

START_TEST(bounds)
{
	/* What is too much for a ring between two looks is lost and counted; old lines go. */
	size_t n;
	int64_t next;
	json_t *json;

	for (int i = 0; i < 10000; i++)
		put(0, "0123456789012345678901234567890123456789");
	json = ask(0, 1024, &n, &next);
	ck_assert_int_gt(json_integer_value(json_object_get(json, "lost")), 0);
	json_decref(json);
	for (int i = 0; i < 3000; i++) {
		put(1, "r");
		if (i % 50 == 0)
			json_decref(ask((uint64_t)next, 1024, &n, &next));
	}
	json_decref(ask(0, SIZE_MAX / 2, &n, &next));
	ck_assert_uint_eq(n, 1024);
}
END_TEST

START_TEST(watched)
{
	/* Nobody watches until somebody asks. */
	size_t n;
	int64_t next;

	ck_assert(!spoa_recent_is_watched(recent));
	json_decref(ask(0, 1, &n, &next));
	ck_assert(spoa_recent_is_watched(recent));
}
END_TEST

Suite *suite_recent(void)
{
	Suite *suite = suite_create("recent");
	TCase *tc = tcase_create("recent");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, numbers);
	tcase_add_test(tc, bounds);
	tcase_add_test(tc, watched);
	suite_add_tcase(suite, tc);
	return suite;
}
