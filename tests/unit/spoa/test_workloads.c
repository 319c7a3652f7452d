/* What is learnt about numbers, from a file and from others; and a map that is not there. */
#include "tests/unit/spoa/suites.h"

#include "spoa/workloads.h"
#include "tests/unit/spoa/help.h"
#include "token/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ONE "[{\"id\": 300, \"labels\": [\"k8s:a=b\"]}]"
#define TWO "[{\"id\": 300, \"labels\": [\"k8s:a=c\"]}, {\"id\": 301, \"labels\": [\"k8s:d=e\"]}]"

static char dir[64], file[96];
static struct conf conf;
static struct spoa_workload_watch *watch;

static void setup(void)
{
	help_mkdir(dir);
	snprintf(file, sizeof(file), "%s/labels.json", dir);
	conf = (struct conf){0};
	conf.workloads.labels_file = file;
	watch = NULL;
}

static void teardown(void)
{
	spoa_workload_watch_free(watch);
	help_rmdir(dir);
}

/* Beside it and renamed, so that the inode is another one whatever the clock says. */
static void write_file(const char *text)
{
	char path[112];

	snprintf(path, sizeof(path), "%s.new", file);
	help_write(path, text);
	ck_assert_int_eq(rename(path, file), 0);
}

static void is(uint32_t number, const char *labels)
{
	cleanup(spoa_workloads) struct spoa_workloads *now = spoa_workload_watch_now(watch);
	struct span found = spoa_workloads_labels(now, number);

	ck_assert_msg(found.n == strlen(labels) && (!found.n || !memcmp(found.p, labels, found.n)),
		"%u: %.*s", number, SPAN_ARG(found));
}

START_TEST(labels_file)
{
	/* Goal: a file is read when it changes; a bad one, or none, leaves what was good. */
	write_file(ONE);
	watch = spoa_workload_watch_new(&conf);
	is(300, "k8s:a=b;");
	ck_assert(!spoa_workload_watch_look(watch));
	write_file("[");
	ck_assert(spoa_workload_watch_look(watch));
	is(300, "k8s:a=b;");
	write_file(TWO);
	ck_assert(spoa_workload_watch_look(watch));
	is(300, "k8s:a=c;");
	is(301, "k8s:d=e;");
	ck_assert_int_eq(remove(file), 0);
	ck_assert(spoa_workload_watch_look(watch));
	is(301, "k8s:d=e;");
	ck_assert(!spoa_workload_watch_look(watch));
}
END_TEST

START_TEST(no_file)
{
	/* Goal: a file that is missing from the start is said, and taken when it comes. */
	cleanup(json) json_t *status = NULL;

	watch = spoa_workload_watch_new(&conf);
	is(300, "");
	status = spoa_workload_watch_status(watch);
	ck_assert(json_is_string(json_object_get(status, "labels_why")));
	write_file(ONE);
	ck_assert(spoa_workload_watch_look(watch));
	is(300, "k8s:a=b;");
}
END_TEST

START_TEST(learnt)
{
	/* Goal: what others learn counts from the next look, before the file; the last word counts. */
	write_file(ONE);
	watch = spoa_workload_watch_new(&conf);
	ck_assert_int_eq(spoa_workload_watch_learn(watch, 300, "k8s:x=y;"), 0);
	ck_assert_int_eq(spoa_workload_watch_learn(watch, 400, "k8s:z=1;"), 0);
	ck_assert_int_eq(spoa_workload_watch_learn(watch, 401, "not canonical"), -EINVAL);
	is(400, "");
	ck_assert(spoa_workload_watch_look(watch));
	is(300, "k8s:x=y;");
	is(400, "k8s:z=1;");
	is(401, "");
	ck_assert_int_eq(spoa_workload_watch_learn(watch, 300, NULL), 0);
	ck_assert_int_eq(spoa_workload_watch_learn(watch, 400, "k8s:z=2;"), 0);
	ck_assert(spoa_workload_watch_look(watch));
	is(300, "k8s:a=b;");
	is(400, "k8s:z=2;");
	ck_assert(!spoa_workload_watch_look(watch));
}
END_TEST

START_TEST(much_to_learn)
{
	/* Goal: many changes of few numbers take no more room than the numbers need. */
	char labels[32];

	conf.workloads.labels_file = NULL;
	watch = spoa_workload_watch_new(&conf);
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(labels, sizeof(labels), "k8s:n=%u;", i);
		ck_assert_int_eq(
			spoa_workload_watch_learn(watch, 300 + i % 10, i % 3 ? labels : NULL), 0);
	}
	ck_assert(spoa_workload_watch_look(watch));
	is(300 + 19999 % 10, "k8s:n=19999;");
	is(300 + 19998 % 10, ""); /* the last word was that nobody has it */
}
END_TEST

START_TEST(learnt_again)
{
	/* Goal: the same said again and again, as with each list of etcd's, takes no room. */
	conf.workloads.labels_file = NULL;
	watch = spoa_workload_watch_new(&conf);
	for (unsigned i = 0; i < 3 * IDENT_DIRECTORY_MAX; i++)
		ck_assert_int_eq(spoa_workload_watch_learn(watch, 300 + i % 10, "k8s:a=b;"), 0);
	ck_assert(spoa_workload_watch_look(watch));
	is(309, "k8s:a=b;");
}
END_TEST

START_TEST(no_room_to_learn)
{
	/* Goal: when there is no room, or a word makes no sense, a number is nobody's rather than
	 * its former owner's. */
	uint32_t n = 0;

	conf.workloads.labels_file = NULL;
	watch = spoa_workload_watch_new(&conf);
	while (spoa_workload_watch_learn(watch, 300 + n, "k8s:a=b;") == 0)
		ck_assert_uint_le(++n, 4 * IDENT_DIRECTORY_MAX);
	ck_assert_int_eq(spoa_workload_watch_learn(watch, 301, "k8s:a=c;"), -E2BIG);
	ck_assert_int_eq(spoa_workload_watch_learn(watch, 302, "not canonical"), -EINVAL);
	ck_assert(spoa_workload_watch_look(watch));
	is(300, "k8s:a=b;");
	is(301, "");
	is(302, "");
	is(303, "k8s:a=b;");
}
END_TEST

START_TEST(no_ipcache)
{
	/* Goal: a map that is configured and not there is lost, said, and no reason to look busy. */
	cleanup(spoa_workloads) struct spoa_workloads *now = NULL;

	conf.workloads.labels_file = NULL;
	conf.workloads.ipcache = dir;
	watch = spoa_workload_watch_new(&conf);
	now = spoa_workload_watch_now(watch);
	ck_assert(now->lost);
	ck_assert_ptr_null(now->ipcache);
	ck_assert(spoa_workload_watch_lost(watch));
	ck_assert(!spoa_workload_watch_look(watch));
}
END_TEST

Suite *suite_workloads(void)
{
	Suite *suite = suite_create("spoa/workloads");
	TCase *tc = tcase_create("workloads");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, labels_file);
	tcase_add_test(tc, no_file);
	tcase_add_test(tc, learnt);
	tcase_add_test(tc, much_to_learn);
	tcase_add_test(tc, learnt_again);
	tcase_add_test(tc, no_room_to_learn);
	tcase_add_test(tc, no_ipcache);
	suite_add_tcase(suite, tc);
	return suite;
}
