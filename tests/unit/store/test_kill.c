/* Promise 7: kill -9 at any point, and identities keep their numbers. */
#include "store/sql.h"
#include "tests/unit/store/scratch.h"
#include "tests/unit/store/suites.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define LO 256
#define HI 65535

/* What a child says after the call returned. Short enough that a pipe keeps it whole. */
struct report {
	char labels[60];
	uint32_t id;
};
_Static_assert(sizeof(struct report) <= PIPE_BUF, "one write is one report");

struct reports {
	struct report *items;
	size_t n;
};

struct child {
	pid_t pid;
	int out;
};

static struct child spawn(
	const struct scratch *s, void (*work)(struct store *store, int to, int n), int n)
{
	struct child child;
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	child.pid = fork();
	ck_assert_int_ge(child.pid, 0);
	if (!child.pid) {
		char why[STORE_WHY];
		struct store *store = NULL;

		if (store_open(s->path, &store, why)) {
			fprintf(stderr, "child: %s\n", why);
			_exit(1);
		}
		work(store, ends[1], n);
		store_close(store);
		_exit(0);
	}
	close(ends[1]);
	child.out = ends[0];
	return child;
}

static void say(struct store *store, int to, const char *labels)
{
	struct report report = {0};
	char why[STORE_WHY];

	snprintf(report.labels, sizeof(report.labels), "%s", labels);
	if (store_identity(store, labels, LO, HI, &report.id, why)) {
		fprintf(stderr, "child: %s\n", why);
		_exit(1);
	}
	if (write(to, &report, sizeof(report)) != (ssize_t)sizeof(report))
		_exit(2);
}

static void collect(const struct child *child, struct reports *all)
{
	struct report report;
	ssize_t n;

	while ((n = read(child->out, &report, sizeof(report))) > 0) {
		ck_assert_int_eq(n, sizeof(report));
		all->items = reallocarray(all->items, all->n + 1, sizeof(report));
		ck_assert_ptr_nonnull(all->items);
		all->items[all->n++] = report;
	}
	close(child->out);
}

static int by_labels(const void *a, const void *b)
{
	const struct report *x = a, *y = b;

	return strcmp(x->labels, y->labels);
}

static int by_id(const void *a, const void *b)
{
	const struct report *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/* No set was told two numbers, no number was told for two sets, and the store still agrees. */
static void judge(const struct scratch *s, struct reports *all)
{
	struct store *store = scratch_open(s);

	qsort(all->items, all->n, sizeof(*all->items), by_labels);
	for (size_t i = 1; i < all->n; i++)
		if (!by_labels(&all->items[i - 1], &all->items[i]))
			ck_assert_uint_eq(all->items[i - 1].id, all->items[i].id);
	qsort(all->items, all->n, sizeof(*all->items), by_id);
	for (size_t i = 1; i < all->n; i++)
		if (all->items[i - 1].id == all->items[i].id)
			ck_assert_str_eq(all->items[i - 1].labels, all->items[i].labels);
	/* The range of one number that is taken: a lost set could not get its number back. */
	for (size_t i = 0; i < all->n; i++)
		ck_assert_uint_eq(
			scratch_identity(store, all->items[i].labels, HI, HI), all->items[i].id);
	store_close(store);
}

/* New sets for ever, and now and then one of an earlier round. */
static void work_for_ever(struct store *store, int to, int round)
{
	char labels[60];

	for (int i = 0;; i++) {
		int of = i % 4 == 3 && round ? (i * 7) % round : round;

		snprintf(labels, sizeof(labels), "k8s:app=%d-%d;", of, i % 50 + (i / 200) * 50);
		say(store, to, labels);
	}
}

static unsigned roll(unsigned below)
{
	static uint64_t state = 42;

	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(state >> 33) % below;
}

START_TEST(kill_nine)
{
	/* Goal: after 40 kills at random points every number that was told still holds. */
	cleanup(scratch) struct scratch scratch;
	struct reports all = {0};
	const int writers = _i + 1;

	scratch_init(&scratch);
	for (int round = 0; round < 40; round++) {
		struct child children[2];

		for (int k = 0; k < writers; k++)
			children[k] = spawn(&scratch, work_for_ever, round);
		usleep(roll(60000));
		for (int k = 0; k < writers; k++)
			ck_assert_int_eq(kill(children[k].pid, SIGKILL), 0);
		for (int k = 0; k < writers; k++) {
			int status = 0;

			collect(&children[k], &all);
			ck_assert_int_eq(waitpid(children[k].pid, &status, 0), children[k].pid);
			ck_assert_msg(WIFSIGNALED(status), "a child ended by itself: %d", status);
		}
		judge(&scratch, &all);
	}
	printf("store: kill -9, 40 rounds, writers %d: %zu numbers told, all hold\n", writers,
		all.n);
	ck_assert_uint_gt(all.n, 10);
	free(all.items);
}
END_TEST

enum { SHARED = 150 };

/* Odd callers go down the same list that even ones go up. */
static void work_shared(struct store *store, int to, int which)
{
	char labels[60];

	for (int i = 0; i < SHARED; i++) {
		snprintf(labels, sizeof(labels), "k8s:app=%d;", which ? SHARED - 1 - i : i);
		say(store, to, labels);
	}
}

START_TEST(two_processes)
{
	/* Goal: two processes that start on no file at all give the same numbers, without a gap. */
	cleanup(scratch) struct scratch scratch;
	struct store_identity *list = NULL;
	struct reports all = {0};
	struct child children[2];
	struct store *store;
	size_t n = 0;

	scratch_init(&scratch);
	for (int k = 0; k < 2; k++)
		children[k] = spawn(&scratch, work_shared, k);
	for (int k = 0; k < 2; k++) {
		int status = 0;

		collect(&children[k], &all);
		ck_assert_int_eq(waitpid(children[k].pid, &status, 0), children[k].pid);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_uint_eq(all.n, 2 * SHARED);
	store = scratch_open(&scratch);
	ck_assert_int_eq(store_identities(store, &list, &n), 0);
	ck_assert_uint_eq(n, SHARED);
	for (uint32_t i = 0; i < n; i++)
		ck_assert_uint_eq(list[i].id, LO + i);
	store_identities_free(list, n);
	store_close(store);
	judge(&scratch, &all);
	free(all.items);
}
END_TEST

static void work_once(struct store *store, int to, int which)
{
	char labels[60];

	snprintf(labels, sizeof(labels), "k8s:app=%d;", which);
	say(store, to, labels);
}

START_TEST(openers)
{
	/* Goal: processes that make the file at the same moment all find it good. */
	enum { OPENERS = 3 };

	for (int round = 0; round < 60; round++) {
		cleanup(scratch) struct scratch scratch;
		struct reports all = {0};
		struct child children[OPENERS];

		scratch_init(&scratch);
		for (int k = 0; k < OPENERS; k++)
			children[k] = spawn(&scratch, work_once, k);
		for (int k = 0; k < OPENERS; k++) {
			int status = 0;

			collect(&children[k], &all);
			ck_assert_int_eq(waitpid(children[k].pid, &status, 0), children[k].pid);
			ck_assert_int_eq(status, 0);
		}
		ck_assert_uint_eq(all.n, OPENERS);
		judge(&scratch, &all);
		free(all.items);
	}
}
END_TEST

/* What a child says about a loan: the number; or that it was released. */
static void say_loan(struct store *store, int to, const char *labels, int round)
{
	const struct store_loan loan = {labels, "team", round + 1};
	struct report report = {0};
	char why[STORE_WHY];
	bool done;

	snprintf(report.labels, sizeof(report.labels), "%s", labels);
	if (store_identity_lend(store, &loan, LO, HI, &report.id, why) ||
		write(to, &report, sizeof(report)) != (ssize_t)sizeof(report))
		_exit(1);
	/* Half of them are given up at once; their quarantine has not ended when they come back. */
	if (report.id % 2 &&
		store_identity_release(store, labels, report.id, INT64_MAX, round + 1, &done, why))
		_exit(2);
	if (report.id % 4 == 1 && store_identity_purge(store, labels, report.id, round, &done, why))
		_exit(3);
}

static void lend_for_ever(struct store *store, int to, int round)
{
	char labels[60];

	for (int i = 0;; i++) {
		snprintf(labels, sizeof(labels), "k8s:team=%d;", (i * 7 + round * 3) % 90);
		say_loan(store, to, labels, round);
	}
}

/* Every number that was told in this round is still of the same labels, and of no others. */
static void judge_loans(const struct scratch *s, struct reports *all)
{
	struct store *store = scratch_open(s);
	struct store_identity *list = NULL;
	size_t n = 0;

	ck_assert_int_eq(store_identities(store, &list, &n), 0);
	for (size_t i = 0; i < all->n; i++) {
		bool found = false;

		for (size_t k = 0; k < n; k++) {
			ck_assert((list[k].id == all->items[i].id) ==
				  !strcmp(list[k].labels, all->items[i].labels));
			found |= list[k].id == all->items[i].id;
		}
		ck_assert(found);
	}
	store_identities_free(list, n);
	store_close(store);
}

START_TEST(kill_nine_quarantine)
{
	/* Goal: killed at random while numbers are lent, released and purged, none in use or in
	 * quarantine comes to mean another set. */
	cleanup(scratch) struct scratch scratch;
	size_t told = 0;

	scratch_init(&scratch);
	for (int round = 0; round < 30; round++) {
		struct reports all = {0};
		struct child children[2];

		for (int k = 0; k < 2; k++)
			children[k] = spawn(&scratch, lend_for_ever, round);
		usleep(5000 + roll(40000));
		for (int k = 0; k < 2; k++)
			ck_assert_int_eq(kill(children[k].pid, SIGKILL), 0);
		for (int k = 0; k < 2; k++) {
			int status = 0;

			collect(&children[k], &all);
			ck_assert_int_eq(waitpid(children[k].pid, &status, 0), children[k].pid);
			ck_assert_msg(WIFSIGNALED(status), "a child ended by itself: %d", status);
		}
		judge_loans(&scratch, &all);
		told += all.n;
		free(all.items);
	}
	ck_assert_uint_gt(told, 10);
}
END_TEST

Suite *kill_suite(void)
{
	Suite *suite = suite_create("kill");
	TCase *tc = tcase_create("kill");

	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, kill_nine, 0, 2);
	tcase_add_loop_test(tc, two_processes, 0, 5);
	tcase_add_test(tc, openers);
	tcase_add_test(tc, kill_nine_quarantine);
	suite_add_tcase(suite, tc);
	return suite;
}
