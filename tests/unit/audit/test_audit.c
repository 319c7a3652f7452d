#include "audit/audit.h"
#include "base/clock.h"
#include "tests/unit/audit/suites.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

static char path[128];
static atomic_int last_error = -1;
static atomic_bool rotation_alone;

static void on_state(void *arg, int error, bool only_rotation)
{
	(void)arg;
	atomic_store(&last_error, error);
	atomic_store(&rotation_alone, only_rotation);
}

static struct audit *start_with(size_t ring_bytes, unsigned n_rings, uint64_t max_bytes)
{
	const struct audit_options options = {
		.path = path,
		.max_bytes = max_bytes,
		.keep = 1,
		.ring_bytes = ring_bytes,
		.n_rings = n_rings,
		.style = {.node_name = "n"},
		.state_changed = on_state,
	};
	struct audit *audit = NULL;

	snprintf(path, sizeof(path), "%s/audit.log", scratch());
	ck_assert_int_eq(audit_new(&options, &audit), 0);
	return audit;
}

static struct audit *start(size_t ring_bytes, unsigned n_rings)
{
	return start_with(ring_bytes, n_rings, 0);
}

static struct audit *start_rotating(uint64_t max_bytes)
{
	return start_with(64 * 1024, 1, max_bytes);
}

static void put(struct audit *audit, unsigned ring, unsigned n)
{
	struct audit_entry entry = {.kind = AUDIT_NOTE};

	entry.text[AUDIT_TEXT_TYPE] = SPAN("test");
	for (unsigned i = 0; i < n; i++)
		audit_put(audit, ring, &entry);
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, what)); p++)
		n++;
	return n;
}

static void nap(void)
{
	const struct timespec ms = {.tv_nsec = NS_PER_MS};

	nanosleep(&ms, NULL);
}

START_TEST(writes)
{
	/* Goal: what several writers put is in the file when the log ends, nothing lost. */
	struct audit *audit = start(64 * 1024, 2);
	char *text;

	put(audit, 0, 20);
	put(audit, 1, 30);
	audit_free(audit);
	text = slurp("audit.log");
	ck_assert_uint_eq(count(text, "\n"), 50);
	ck_assert_uint_eq(count(text, "agent_event\""), 50);
	free(text);
}
END_TEST

START_TEST(soon)
{
	/* Goal: a line is written without anything after it, and counted. */
	struct audit *audit = start(64 * 1024, 1);

	put(audit, 0, 1);
	for (int i = 0; i < 5000 && audit_stats(audit).written < 1; i++)
		nap();
	ck_assert_uint_eq(audit_stats(audit).written, 1);
	audit_free(audit);
}
END_TEST

START_TEST(losses)
{
	/* Goal: what found no room is counted, and a line says how many. */
	struct audit *audit = start(64 * 1024, 1);
	uint64_t lost;
	char expected[64];
	char *text;

	put(audit, 0, 100000);
	lost = audit_stats(audit).lost;
	ck_assert_uint_gt(lost, 0);
	audit_free(audit);
	text = slurp("audit.log");
	ck_assert_uint_eq(count(text, "agent_event\"") + lost, 100000);
	ck_assert_uint_ge(count(text, "lost_events"), 1);
	snprintf(expected, sizeof(expected), "\"num_events_lost\":\"%llu\"",
		(unsigned long long)lost);
	if (count(text, "lost_events") == 1)
		ck_assert_ptr_nonnull(strstr(text, expected));
	free(text);
}
END_TEST

START_TEST(full_disk)
{
	/* Goal: a disk that takes nothing stops nobody; when it does again, no line is broken. */
	const struct rlimit small = {1000, RLIM_INFINITY}, none = {RLIM_INFINITY, RLIM_INFINITY};
	struct audit *audit = start(64 * 1024, 1);
	char *text;

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	put(audit, 0, 50); /* about 8 KiB of lines */
	for (int i = 0; i < 5000 && atomic_load(&last_error) != EFBIG; i++)
		nap();
	ck_assert_int_eq(atomic_load(&last_error), EFBIG);
	ck_assert_int_eq(audit_stats(audit).error, EFBIG);
	ck_assert(!atomic_load(&rotation_alone));
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	for (int i = 0; i < 5000 && atomic_load(&last_error) != 0; i++)
		nap();
	audit_free(audit);
	text = slurp("audit.log");
	ck_assert_uint_eq(count(text, "\n"), 50);
	ck_assert_uint_eq(count(text, "\n{\"agent_event\""), 49);
	free(text);
}
END_TEST

START_TEST(cannot_rotate)
{
	/* Goal: a file that cannot be renamed grows on: no line is lost, and the trouble is said. */
	struct audit *audit;
	char other[140];
	char *text;

	audit = start_rotating(100);
	snprintf(other, sizeof(other), "%s.1", path);
	ck_assert_int_eq(mkdir(other, 0700), 0);
	for (int i = 0; i < 5; i++) {
		put(audit, 0, 20);
		for (int n = 0; n < 5000 && audit_stats(audit).written < (i + 1) * 20u; n++)
			nap();
	}
	ck_assert_int_eq(audit_stats(audit).error, 0);
	ck_assert_int_eq(audit_stats(audit).rotation, EISDIR);
	ck_assert_int_eq(atomic_load(&last_error), EISDIR);
	ck_assert(atomic_load(&rotation_alone));
	audit_free(audit);
	text = slurp("audit.log");
	ck_assert_uint_eq(count(text, "agent_event\""), 100);
	free(text);
}
END_TEST

START_TEST(reopens)
{
	/* Goal: after logrotate renamed the file, new lines are in a new one. */
	struct audit *audit = start(64 * 1024, 1);
	char other[140];
	char *text;

	put(audit, 0, 1);
	for (int i = 0; i < 5000 && audit_stats(audit).written < 1; i++)
		nap();
	snprintf(other, sizeof(other), "%s.moved", path);
	ck_assert_int_eq(rename(path, other), 0);
	audit_reopen(audit);
	put(audit, 0, 2);
	audit_free(audit);
	text = slurp("audit.log");
	ck_assert_uint_eq(count(text, "\n"), 2);
	free(text);
}
END_TEST

Suite *audit_suite(void)
{
	Suite *suite = suite_create("audit/audit");
	TCase *tcase = tcase_create("audit");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, writes);
	tcase_add_test(tcase, soon);
	tcase_add_test(tcase, losses);
	tcase_add_test(tcase, full_disk);
	tcase_add_test(tcase, cannot_rotate);
	tcase_add_test(tcase, reopens);
	suite_add_tcase(suite, tcase);
	return suite;
}
