#include "tests/unit/spoa/suites.h"

#include "spoa/log.h"
#include "tests/unit/spoa/help.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static int saved, pipes[2];
static char text[8192];

/* From here on standard error is a pipe. */
static void catch_begin(void)
{
	fflush(stderr);
	saved = dup(STDERR_FILENO);
	ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
	ck_assert_int_ge(dup2(pipes[1], STDERR_FILENO), 0);
}

static const char *catch_end(void)
{
	ssize_t n;

	ck_assert_int_ge(dup2(saved, STDERR_FILENO), 0);
	close(saved);
	close(pipes[1]);
	n = read(pipes[0], text, sizeof(text) - 1);
	close(pipes[0]);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void teardown(void)
{
	spoa_log_level((enum base_log_level) - 1);
}

START_TEST(levels)
{
	/* Lines above the level are not written; the others are one JSON object each. */
	for (unsigned at = 0; at < BASE_LOG_LEVELS; at++) {
		const char *p;
		unsigned lines = 0;

		spoa_log_level((enum base_log_level)at);
		catch_begin();
		for (unsigned l = 0; l < BASE_LOG_LEVELS; l++)
			spoa_log((enum base_log_level)l, "event", "key", "va\"lue\n");
		for (p = catch_end(); *p; lines++) {
			size_t n = strcspn(p, "\n");
			json_t *line = json_loadb(p, n, JSON_REJECT_DUPLICATES, NULL);

			ck_assert_ptr_nonnull(line);
			ck_assert_str_eq(
				json_string_value(json_object_get(line, "event")), "event");
			ck_assert_str_eq(
				json_string_value(json_object_get(line, "key")), "va\"lue\n");
			ck_assert_str_eq(json_string_value(json_object_get(line, "level")),
				base_log_level_name((enum base_log_level)lines));
			json_decref(line);
			p += n + 1;
		}
		ck_assert_uint_eq(lines, at + 1);
	}
}
END_TEST

START_TEST(limit)
{
	/* So many lines a second; the next that is let through says how many were not. */
	struct spoa_log_limit l = {0};
	uint64_t second = (uint64_t)NS_PER_S;
	uint64_t lost = 99;

	for (int i = 0; i < 3; i++) {
		ck_assert(spoa_log_allowed(&l, 3, 5 * second + (unsigned)i, &lost));
		ck_assert_uint_eq(lost, 0);
	}
	for (int i = 0; i < 7; i++)
		ck_assert(!spoa_log_allowed(&l, 3, 6 * second - 1, &lost));
	ck_assert(spoa_log_allowed(&l, 3, 6 * second, &lost));
	ck_assert_uint_eq(lost, 7);
	ck_assert(spoa_log_allowed(&l, 3, 6 * second, &lost));
	ck_assert_uint_eq(lost, 0);
	for (int i = 0; i < 1000; i++)
		ck_assert(spoa_log_allowed(&l, 0, 7 * second, &lost));
}
END_TEST

static void *write_lines(void *arg)
{
	for (int i = 0; i < 2000; i++)
		spoa_log(BASE_LOG_INFO, "filler", "key", "01234567890123456789012345678901234567");
	return arg;
}

START_TEST(full_pipe)
{
	/* A standard error that takes no more loses lines and never holds a thread up. */
	pthread_t threads[2];

	spoa_log_level(BASE_LOG_INFO);
	catch_begin();
	alarm(10); /* it would wait for ever */
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, write_lines, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	alarm(0);
	ck_assert_ptr_nonnull(strstr(catch_end(), "filler"));
}
END_TEST

Suite *suite_log(void)
{
	Suite *suite = suite_create("log");
	TCase *tc = tcase_create("log");

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_test(tc, levels);
	tcase_add_test(tc, limit);
	tcase_add_test(tc, full_pipe);
	suite_add_tcase(suite, tc);
	return suite;
}
