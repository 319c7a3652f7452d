#include "audit/file.h"
#include "tests/unit/audit/suites.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static char path[128];

static void put(struct audit_file *file, const char *line)
{
	ck_assert_int_eq(audit_file_write(file, line, strlen(line), 0), (int64_t)strlen(line));
	ck_assert_int_eq(audit_file_rotate(file), 0);
}

static void holds(const char *name, const char *expected)
{
	char *text = slurp(name);

	ck_assert_pstr_eq(text, expected);
	free(text);
}

static void in_scratch(void)
{
	snprintf(path, sizeof(path), "%s/audit.log", scratch());
}

START_TEST(rotates)
{
	/* Goal: a file as large as max_bytes becomes .1, .1 becomes .2, and the oldest goes. */
	struct audit_file file;

	in_scratch();
	audit_file_init(&file, path, 10, 2);
	put(&file, "one\n");
	put(&file, "two-----\n"); /* 13 bytes: rotated */
	holds("audit.log", NULL);
	holds("audit.log.1", "one\ntwo-----\n");
	put(&file, "three\n");
	put(&file, "four\n");
	put(&file, "five\n");
	holds("audit.log", "five\n");
	holds("audit.log.1", "three\nfour\n");
	holds("audit.log.2", "one\ntwo-----\n");
	put(&file, "six------\n");
	holds("audit.log.2", "three\nfour\n");
	holds("audit.log.3", NULL);
	audit_file_done(&file);
}
END_TEST

START_TEST(keeps_none)
{
	/* Goal: with keep 0 a full file is begun anew. */
	struct audit_file file;

	in_scratch();
	audit_file_init(&file, path, 4, 0);
	put(&file, "one-\n");
	put(&file, "2\n");
	holds("audit.log", "2\n");
	holds("audit.log.1", NULL);
	audit_file_done(&file);
}
END_TEST

START_TEST(appends)
{
	/* Goal: what is there stays, its size counts, and a file that others renamed is left to them. */
	struct audit_file file;
	char other[140];
	struct stat st;

	in_scratch();
	audit_file_init(&file, path, 0, 2);
	put(&file, "one\n");
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0640);
	audit_file_done(&file);
	audit_file_init(&file, path, 8, 2);
	put(&file, "two\n");
	holds("audit.log.1", "one\ntwo\n");
	put(&file, "a\n");
	snprintf(other, sizeof(other), "%s.moved", path);
	ck_assert_int_eq(rename(path, other), 0);
	audit_file_reopen(&file);
	put(&file, "b\n");
	holds("audit.log", "b\n");
	holds("audit.log.moved", "a\n");
	audit_file_done(&file);
}
END_TEST

START_TEST(refuses)
{
	/* Goal: a link, a pipe and a folder are not written to, and a missing folder is said. */
	struct audit_file file;
	char other[140];

	in_scratch();
	audit_file_init(&file, path, 0, 0);
	snprintf(other, sizeof(other), "%s.other", path);
	ck_assert_int_eq(symlink(other, path), 0);
	ck_assert_int_eq(audit_file_write(&file, "x", 1, 0), -ELOOP);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(audit_file_write(&file, "x", 1, 0), -ENXIO);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(audit_file_write(&file, "x", 1, 0), -EISDIR);
	audit_file_init(&file, "/nonexistent/audit.log", 0, 0);
	ck_assert_int_eq(audit_file_write(&file, "x", 1, 0), -ENOENT);
	audit_file_done(&file);
}
END_TEST

START_TEST(stdout_waits_no_longer)
{
	/* Goal: a pipe that nobody reads takes what fits, and then says so instead of waiting. */
	char block[4096] = {0};
	struct audit_file file;
	int ends[2], saved = dup(STDOUT_FILENO);
	int64_t took, all = 0;

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(dup2(ends[1], STDOUT_FILENO), STDOUT_FILENO);
	audit_file_init(&file, NULL, 0, 0);
	while ((took = audit_file_write(&file, block, sizeof(block), 0)) > 0)
		all += took;
	ck_assert_int_eq(dup2(saved, STDOUT_FILENO), STDOUT_FILENO);
	ck_assert_int_eq(took, -EAGAIN);
	ck_assert_int_eq(all, fcntl(ends[1], F_GETPIPE_SZ));
	audit_file_done(&file);
}
END_TEST

Suite *file_suite(void)
{
	Suite *suite = suite_create("audit/file");
	TCase *tcase = tcase_create("file");

	tcase_add_test(tcase, rotates);
	tcase_add_test(tcase, keeps_none);
	tcase_add_test(tcase, appends);
	tcase_add_test(tcase, refuses);
	tcase_add_test(tcase, stdout_waits_no_longer);
	suite_add_tcase(suite, tcase);
	return suite;
}
