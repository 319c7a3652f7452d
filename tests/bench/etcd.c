/*
 * What numbers through a real etcd cost: N label sets are made by one agent,
 * joined by a second one, looked up, and confirmed by an agent that starts.
 *
 *	bench_etcd [N]          5000 by default; the goals are printed with the figures
 */
#include "tests/unit/etcd/live.h"

#include "base/clock.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

static unsigned n_sets = 5000;

static const char *set_of(unsigned i)
{
	static char text[160];

	snprintf(text, sizeof(text),
		"k8s:io.cilium.k8s.policy.cluster=default;"
		"k8s:io.kubernetes.pod.namespace=identity-edge;k8s:team=t%u;",
		i);
	return text;
}

static double now_s(void)
{
	struct base_now now;

	base_clock_now(&now);
	return (double)now.mono_ns / 1e9;
}

static double processor_s(void)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

/* Until all of them have a number; seconds. */
static double get_all(struct live_agent *agent)
{
	double start = now_s();

	for (unsigned i = 0; i < n_sets; i++)
		if (etcd_numbers_want(agent->numbers, set_of(i), 0))
			exit(1);
	for (unsigned i = 0; i < n_sets; i++)
		while (!etcd_numbers_find(agent->numbers, set_of(i)).id)
			live_turn();
	return now_s() - start;
}

/* Nanoseconds for one lookup among the first n. */
static double look_up(const struct live_agent *agent, unsigned n)
{
	enum { TIMES = 200000 };
	double start = now_s();
	uint64_t sum = 0;

	for (unsigned i = 0; i < TIMES; i++)
		sum += etcd_numbers_find(agent->numbers, set_of(i * 7919 % n)).id;
	return sum ? (now_s() - start) / TIMES * 1e9 : 0;
}

static void measure_start(void)
{
	double listed = now_s(), confirmed;
	struct live_agent *again = live_agent_new("first");

	LIVE_UNTIL(etcd_numbers_is_up(again->numbers));
	listed = now_s() - listed;
	confirmed = get_all(again);
	printf("started    with all of them: listed in %.2f s, confirmed in %.2f s (goal: below "
	       "2)\n",
		listed, listed + confirmed);
}

START_TEST(numbers)
{
	struct live_agent *first = live_agent_new("first"), *second;
	double made, joined, few, many;

	LIVE_UNTIL(etcd_numbers_is_up(first->numbers));
	made = get_all(first);
	printf("made       %u numbers in %.2f s: %.0f a second (goal: at least 200)\n", n_sets,
		made, n_sets / made);
	printf("           with %.2f s of processor time of ours\n", processor_s());
	few = look_up(first, 50);
	many = look_up(first, n_sets);
	printf("looked up  %.0f ns among 50, %.0f ns among %u (with its text; goal: flat)\n", few,
		many, n_sets);
	second = live_agent_new("second");
	joined = get_all(second);
	printf("joined     by a second agent in %.2f s: %.0f a second\n", joined, n_sets / joined);
	live_agent_free(first, false);
	measure_start();
	fflush(stdout);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *s = suite_create("bench");
	TCase *tc = tcase_create("bench");
	SRunner *runner = srunner_create(s);
	int failed;

	if (argc > 1)
		n_sets = (unsigned)strtoul(argv[1], NULL, 10);
	if (!n_sets || n_sets > 65000)
		return 2;
	tcase_add_unchecked_fixture(tc, live_start, live_stop);
	tcase_add_checked_fixture(tc, live_begin, live_end);
	tcase_set_timeout(tc, 600);
	tcase_add_test(tc, numbers);
	suite_add_tcase(s, tc);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
