#include "tests/unit/net/suites.h"
#include "tests/unit/net/server.h"

#include "base/mem.h"
#include "net/net.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char socket_path[80];
static struct server *server;

static void set_up(void)
{
	snprintf(socket_path, sizeof(socket_path), "/tmp/unit_net.%d.sock", (int)getpid());
	server = server_start(&(struct server_options){.unix_path = socket_path});
}

static void tear_down(void)
{
	server_stop(server);
	unlink(socket_path);
}

START_TEST(answers)
{
	/* Goal: a GET over a unix socket brings status and body, whatever the status. */
	static const struct {
		const char *path;
		long status;
		const char *body;
	} ROWS[] = {{"/ok", 200, "hello"}, {"/missing", 404, "no"}, {"/empty", 200, ""}};

	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		cleanup(net_answer) struct net_answer *answer = NULL;
		char why[160] = "";

		ck_assert_int_eq(net_unix_get(socket_path, ROWS[i].path, &answer, why), 0);
		ck_assert_int_eq(answer->status, ROWS[i].status);
		ck_assert_str_eq(answer->body, ROWS[i].body);
		ck_assert_str_eq(why, "");
	}
}
END_TEST

START_TEST(refusals)
{
	/* Goal: a socket that is not there, or not one, is an errno and a sentence. */
	char long_path[200];
	char why[160];
	struct net_answer *answer = NULL;
	const struct {
		const char *socket;
		const char *path;
		int rc;
		const char *says;
	} ROWS[] = {
		{"/nonexistent/s", "/ok", -ENOENT, "No such file or directory"},
		{"/dev/null", "/ok", -ECONNREFUSED, "Connection refused"},
		{long_path, "/ok", -EINVAL, "too long"},
		{"", "/ok", -EINVAL, "empty"},
		{socket_path, "ok", -EINVAL, "slash"},
		{socket_path, "", -EINVAL, "slash"},
		{socket_path, "/close", -ECONNRESET, "closed without an answer"},
		{socket_path, "/cut", -EIO, "middle"},
		{socket_path, "/endless", -EMSGSIZE, "larger"},
	};

	memset(long_path, 'x', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		why[0] = '\0';
		ck_assert_int_eq(
			net_unix_get(ROWS[i].socket, ROWS[i].path, &answer, why), ROWS[i].rc);
		ck_assert_msg(strstr(why, ROWS[i].says), "row %zu says: %s", i, why);
		ck_assert_ptr_null(answer);
	}
}
END_TEST

Suite *suite_unix(void)
{
	Suite *s = suite_create("net/unix");
	TCase *tc = tcase_create("unix");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, answers);
	tcase_add_test(tc, refusals);
	suite_add_tcase(s, tc);
	return s;
}
