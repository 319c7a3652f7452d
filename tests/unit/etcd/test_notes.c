#include "tests/unit/etcd/live.h"
#include "tests/unit/etcd/suites.h"

#include "base/clock.h"
#include "etcd/notes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PREFIX "identityd/v1/tests/"

/* One agent's texts are numbers, and the larger of two says what both do. */
struct reader {
	struct live_agent *agent;
	struct etcd_notes *notes;
	char name[ETCD_NOTE_NAME + 1], text[64]; /* told last */
	unsigned n_told, n_batches, n_offers;
	const char *has; /* offered as "kept"; NULL: nothing */
};

static void on_note(void *arg, struct span name, struct span text)
{
	struct reader *reader = arg;

	ck_assert_uint_eq(reader->n_batches % 2, 1);
	snprintf(reader->name, sizeof(reader->name), "%.*s", SPAN_ARG(name));
	snprintf(reader->text, sizeof(reader->text), "%.*s", SPAN_ARG(text));
	reader->n_told++;
}

static void on_batch(void *arg, bool begins)
{
	struct reader *reader = arg;

	ck_assert_int_eq(reader->n_batches++ % 2 == 0, begins);
}

static void on_offer(void *arg)
{
	struct reader *reader = arg;

	reader->n_offers++;
	if (reader->has)
		etcd_notes_put(
			reader->notes, "kept", span_of(reader->has), (int64_t)time(NULL) + 60);
}

static int on_merge(
	void *arg, struct span first, struct span second, char merged[ETCD_NOTE_VALUE], size_t *n)
{
	(void)arg;
	if (atoi(first.p) >= atoi(second.p))
		return 0;
	memcpy(merged, second.p, second.n);
	*n = second.n;
	return 1;
}

static void start(struct reader *reader, const char *node)
{
	const struct etcd_notes_owner owner = {on_note, on_batch, on_offer, on_merge, reader};

	reader->agent = live_agent_new(node);
	reader->notes = etcd_notes_new(reader->agent->client, PREFIX, &owner);
	ck_assert_ptr_nonnull(reader->notes);
}

static void stop(struct reader *reader)
{
	etcd_notes_free(reader->notes);
	live_agent_free(reader->agent, false);
}

static bool tick(struct reader *reader)
{
	struct base_now now;

	base_clock_now(&now);
	(void)etcd_notes_tick(reader->notes, now.mono_ns, base_clock_wall_s(&now));
	return true;
}

static bool is_told(struct reader *a, struct reader *b, const char *text)
{
	return tick(a) && tick(b) && !strcmp(b->text, text);
}

START_TEST(told)
{
	/* Goal: what one agent puts all are told, under a lease; the larger of two texts stays. */
	struct reader a = {0}, b = {0};
	int64_t expires = (int64_t)time(NULL) + 100;

	start(&a, "a");
	start(&b, "b");
	etcd_notes_put(a.notes, "one", SPAN("5"), expires);
	LIVE_UNTIL(is_told(&a, &b, "5"));
	ck_assert_str_eq(b.name, "one");
	etcd_notes_put(b.notes, "one", SPAN("3"), expires);
	etcd_notes_put(b.notes, "two", SPAN("9"), expires);
	LIVE_UNTIL(is_told(&b, &a, "9"));
	ck_assert_str_eq(live_get(PREFIX "one"), "5");
	etcd_notes_put(b.notes, "one", SPAN("7"), expires);
	LIVE_UNTIL(is_told(&b, &a, "7"));
	/* Deleted is not taken back: nobody is told anything. */
	live_put(PREFIX "one", NULL);
	live_pass(50);
	ck_assert(tick(&a) && !strcmp(a.text, "7"));
	stop(&a);
	stop(&b);
}
END_TEST

START_TEST(later)
{
	/* Goal: without etcd a text waits, and is put when it is back; lost answers lose nothing. */
	struct reader a = {0}, b = {0};

	start(&a, "a");
	start(&b, "b");
	a.agent->deaf = true;
	etcd_notes_put(a.notes, "one", SPAN("5"), (int64_t)time(NULL) + 100);
	live_pass(50);
	ck_assert(tick(&a) && tick(&b));
	ck_assert_uint_eq(etcd_notes_stats(a.notes).waiting, 1);
	a.agent->deaf = false;
	a.agent->lose_each = 3;
	LIVE_UNTIL(is_told(&a, &b, "5"));
	LIVE_UNTIL(tick(&a) && etcd_notes_stats(a.notes).waiting == 0);
	stop(&a);
	stop(&b);
}
END_TEST

START_TEST(offered)
{
	/* Goal: at the start everything is told, then what is missing is asked for; too long texts are skipped. */
	struct reader a = {.has = "8"}, b = {0};
	char *large = malloc(ETCD_NOTE_VALUE + 2);

	memset(large, 'x', ETCD_NOTE_VALUE + 1);
	large[ETCD_NOTE_VALUE + 1] = '\0';
	live_put(PREFIX "large", large);
	live_put(PREFIX, "no name");
	start(&a, "a");
	start(&b, "b");
	LIVE_UNTIL(is_told(&a, &b, "8"));
	ck_assert_uint_eq(a.n_offers, 1);
	ck_assert_uint_eq(etcd_notes_stats(a.notes).malformed, 2);
	stop(&a);
	stop(&b);
	free(large);
}
END_TEST

Suite *suite_notes(void)
{
	Suite *s = suite_create("etcd/notes");
	TCase *tc = tcase_create("notes");

	tcase_add_unchecked_fixture(tc, live_start, live_stop);
	tcase_add_checked_fixture(tc, live_begin, live_end);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, told);
	tcase_add_test(tc, later);
	tcase_add_test(tc, offered);
	suite_add_tcase(s, tc);
	return s;
}
