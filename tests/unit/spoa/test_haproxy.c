#include "tests/unit/spoa/suites.h"

#include "spoa/haproxy.h"
#include "tests/unit/spoa/help.h"

#include <sys/wait.h>
#include <unistd.h>

#define STATUS(caps) "Name:\thaproxy\nCapPrm:\tffffffffffffffff\nCapEff:\t" caps "\nCapBnd:\t0\n"

static const struct {
	const char *text;
	bool with_raw;
	enum spoa_can_mark can;
} ROWS[] = {
	{STATUS("0000000000001000"), false, SPOA_CAN_MARK_YES}, /* CAP_NET_ADMIN alone */
	{STATUS("000001ffffffffff"), false, SPOA_CAN_MARK_YES}, /* root */
	{STATUS("0000000000000000"), true, SPOA_CAN_MARK_NO},
	{STATUS("0000000000000400"), true, SPOA_CAN_MARK_NO},  /* only CAP_NET_BIND_SERVICE */
	{STATUS("0000000000002000"), true, SPOA_CAN_MARK_YES}, /* CAP_NET_RAW */
	{STATUS("0000000000002000"), false, SPOA_CAN_MARK_NO},
	{STATUS("000000000000100"), false, SPOA_CAN_MARK_UNKNOWN},
	{STATUS("zzzzzzzzzzzzzzzz"), false, SPOA_CAN_MARK_UNKNOWN},
	{"Name:\tCapEff:\t0000000000001000\n", false, SPOA_CAN_MARK_UNKNOWN},
	{"Name:\thaproxy\nCapEff:\t00000000000010", false, SPOA_CAN_MARK_UNKNOWN},
	{"", false, SPOA_CAN_MARK_UNKNOWN},
};

START_TEST(read_status)
{
	/* The effective set decides; a text that does not have it says nothing. */
	ck_assert_int_eq(
		spoa_haproxy_read(span_of(ROWS[_i].text), ROWS[_i].with_raw), ROWS[_i].can);
}
END_TEST

/* A child without capabilities that lives until it is told. */
static pid_t start_child(int to_child[2])
{
	int ready[2];
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe(to_child), 0);
	ck_assert_int_eq(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		if ((!getuid() && (setgid(65534) || setuid(65534))) || write(ready[1], "", 1) != 1)
			_exit(1);
		close(to_child[1]);
		_exit(read(to_child[0], &byte, 1) > 0);
	}
	close(ready[1]);
	close(to_child[0]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

START_TEST(processes)
{
	/* A real process without rights is found out, looked at again after a while, and forgotten. */
	struct spoa_haproxies all = {0};
	struct base_now now = {.mono_ns = 100 * (uint64_t)NS_PER_S};
	struct spoa_haproxy *child;
	int to_child[2];
	pid_t pid;

	pid = start_child(to_child);
	child = spoa_haproxies_meet(&all, pid, 65534, &now);
	ck_assert_int_eq(child->can_mark, SPOA_CAN_MARK_NO);
	ck_assert_uint_eq(spoa_haproxies_unable(&all), 1);
	ck_assert_int_eq(spoa_haproxies_meet(&all, getpid(), getuid(), &now)->can_mark,
		getuid() ? SPOA_CAN_MARK_NO : SPOA_CAN_MARK_YES);
	all.list[1] = (struct spoa_haproxy){0};
	ck_assert_uint_eq(spoa_haproxies_unable(&all), 1);
	child->said = true;
	child->can_mark = SPOA_CAN_MARK_YES;
	ck_assert_ptr_eq(spoa_haproxies_meet(&all, pid, 65534, &now), child);
	ck_assert_int_eq(child->can_mark, SPOA_CAN_MARK_YES);
	now.mono_ns += 5 * (uint64_t)NS_PER_S;
	ck_assert_ptr_eq(spoa_haproxies_meet(&all, pid, 65534, &now), child);
	ck_assert_int_eq(child->can_mark, SPOA_CAN_MARK_NO);
	ck_assert(child->said);
	close(to_child[1]);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	spoa_haproxies_look(&all, &now);
	ck_assert_uint_eq(spoa_haproxies_unable(&all), 0);
	ck_assert_int_eq(child->pid, 0);
}
END_TEST

START_TEST(many)
{
	/* More processes than there is room for push out the oldest; nobody's pid is no process. */
	struct spoa_haproxies all = {0};
	struct base_now now = {.mono_ns = 100 * (uint64_t)NS_PER_S};

	ck_assert_ptr_null(spoa_haproxies_meet(&all, 0, 0, &now));
	ck_assert_ptr_null(spoa_haproxies_meet(&all, -1, (uid_t)-1, &now));
	for (pid_t pid = 1; pid <= 3 * SPOA_HAPROXIES; pid++) {
		now.mono_ns++;
		ck_assert_int_eq(
			spoa_haproxies_meet(&all, 5000000 + pid, 1, &now)->pid, 5000000 + pid);
	}
	for (size_t i = 0; i < SPOA_HAPROXIES; i++)
		ck_assert_int_gt(all.list[i].pid, 5000000 + 2 * SPOA_HAPROXIES);
}
END_TEST

Suite *suite_haproxy(void)
{
	Suite *suite = suite_create("spoa/haproxy");
	TCase *tc = tcase_create("haproxy");

	tcase_add_loop_test(tc, read_status, 0, ARRAY_SIZE(ROWS));
	tcase_add_test(tc, processes);
	tcase_add_test(tc, many);
	suite_add_tcase(suite, tc);
	return suite;
}
