#include "tests/unit/spoa/suites.h"

#include "spoa/access.h"
#include "spoa/inherit.h"
#include "spoa/listen.h"
#include "spoa/newcomer.h"
#include "tests/unit/spoa/help.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char dir[64];
static char path[100];
static char why[SPOA_LISTEN_WHY];
static struct conf_listen conf;
static const struct spoa_access anybody;

static void setup(void)
{
	help_mkdir(dir);
	snprintf(path, sizeof(path), "%s/x.sock", dir);
	conf = (struct conf_listen){.unix_path = path, .mode = 0660};
	why[0] = '\0';
}

static void teardown(void)
{
	help_rmdir(dir);
}

static int open_it(struct spoa_listen *ret)
{
	return spoa_listen_open(&conf, NULL, ret, why);
}

static int connect_unix(void)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	return fd;
}

START_TEST(unix_socket)
{
	/* A unix socket has its mode, is named, takes connections, and is gone after close. */
	struct spoa_newcomer newcomer;
	struct spoa_listen listener;
	struct stat st;
	char want[140];
	int fd;

	conf.mode = 0626;
	ck_assert_int_eq(open_it(&listener), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0626);
	snprintf(want, sizeof(want), "unix:%s", path);
	ck_assert_str_eq(listener.name, want);
	ck_assert_int_eq(spoa_newcomer_accept(&listener, &anybody, &newcomer), -EAGAIN);
	fd = connect_unix();
	ck_assert_int_eq(spoa_newcomer_accept(&listener, &anybody, &newcomer), 0);
	ck_assert(!newcomer.is_tcp);
	snprintf(want, sizeof(want), "unix:pid=%d,uid=%d", (int)getpid(), (int)getuid());
	ck_assert_str_eq(newcomer.peer, want);
	close(newcomer.fd);
	close(fd);
	spoa_listen_close(&listener);
	ck_assert_int_eq(stat(path, &st), -1);
	spoa_listen_close(&listener); /* twice does no harm */
}
END_TEST

START_TEST(stale)
{
	/* A socket that nobody answers any more is replaced. */
	struct spoa_listen old, listener;

	ck_assert_int_eq(open_it(&old), 0);
	close(old.fd); /* as kill -9 does */
	ck_assert_int_eq(open_it(&listener), 0);
	close(connect_unix());
	spoa_listen_close(&listener);
}
END_TEST

START_TEST(live)
{
	/* A socket that somebody answers is not taken away. */
	struct spoa_listen old, listener;

	ck_assert_int_eq(open_it(&old), 0);
	ck_assert_int_eq(open_it(&listener), -EADDRINUSE);
	ck_assert_ptr_nonnull(strstr(why, path));
	close(connect_unix());
	spoa_listen_close(&old);
}
END_TEST

START_TEST(other_file)
{
	/* A file that is no socket is not removed, whatever the configuration says. */
	struct spoa_listen listener;
	struct stat st;
	char target[120];

	help_write(path, "precious");
	ck_assert_int_eq(open_it(&listener), -EADDRINUSE);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert(S_ISREG(st.st_mode));
	ck_assert_int_eq(st.st_size, 8);
	ck_assert_ptr_nonnull(strstr(why, path));
	snprintf(target, sizeof(target), "%s/link", dir);
	ck_assert_int_eq(rename(path, target), 0);
	ck_assert_int_eq(symlink(target, path), 0);
	ck_assert_int_eq(open_it(&listener), -EADDRINUSE);
	ck_assert_int_eq(lstat(path, &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
}
END_TEST

START_TEST(group)
{
	/* The group may be a number or a name; one that is not there is an error without a trace. */
	const struct spoa_user user = {.uid = 61001, .gid = 61003};
	struct spoa_listen listener;
	struct stat st;

	conf.group = (char *)"no-such-group-here";
	ck_assert_int_eq(open_it(&listener), -ENOENT);
	ck_assert_ptr_nonnull(strstr(why, "no-such-group-here"));
	ck_assert_int_eq(stat(path, &st), -1);
	if (getuid())
		return;
	conf.group = (char *)"61002";
	ck_assert_int_eq(spoa_listen_open(&conf, &user, &listener, why), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_gid, 61002);
	ck_assert_uint_eq(st.st_uid, 61001);
	spoa_listen_close(&listener);
	conf.group = NULL;
	ck_assert_int_eq(spoa_listen_open(&conf, &user, &listener, why), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_gid, 61003);
	spoa_listen_close(&listener);
	conf.group = (char *)"daemon";
	ck_assert_int_eq(open_it(&listener), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_uid, 0);
	ck_assert_uint_ne(st.st_gid, 0);
	spoa_listen_close(&listener);
}
END_TEST

START_TEST(too_long)
{
	/* A path longer than a socket's name can be, and a folder that is not there, are refused. */
	struct spoa_listen listener;
	char text[300];

	memset(text, 'x', sizeof(text));
	text[0] = '/';
	text[108] = '\0';
	conf.unix_path = text;
	ck_assert_int_eq(open_it(&listener), -ENAMETOOLONG);
	conf.unix_path = (char *)"/nonexistent/x.sock";
	ck_assert_int_eq(open_it(&listener), -ENOENT);
	ck_assert_str_ne(why, "");
}
END_TEST

START_TEST(tcp)
{
	/* TCP listens on literal addresses; what comes from there may not write maps. */
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sin);
	struct spoa_listen listener, second;
	struct spoa_newcomer newcomer;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	conf = (struct conf_listen){.tcp_host = (char *)"127.0.0.1"};
	ck_assert_int_eq(open_it(&listener), 0);
	ck_assert_int_eq(getsockname(listener.fd, (struct sockaddr *)&sin, &len), 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	ck_assert_int_eq(spoa_newcomer_accept(&listener, &anybody, &newcomer), 0);
	ck_assert(newcomer.is_tcp);
	ck_assert_int_eq(strncmp(newcomer.peer, "tcp:127.0.0.1:", 14), 0);
	conf.tcp_port = ntohs(sin.sin_port);
	ck_assert_int_eq(open_it(&second), -EADDRINUSE);
	conf.tcp_host = (char *)"localhost";
	ck_assert_int_eq(open_it(&second), -EINVAL);
	ck_assert_str_ne(why, "");
	close(newcomer.fd);
	close(fd);
	spoa_listen_close(&listener);
}
END_TEST

START_TEST(inherited)
{
	/* A socket that was passed is found by its address, kept ones leave their file, others are refused. */
	struct spoa_inherit inherit = {.n = 0};
	struct spoa_listen made, taken;
	struct conf_listen other = {.tcp_host = (char *)"127.0.0.1", .tcp_port = 1};
	struct stat st;

	ck_assert_int_eq(open_it(&made), 0);
	ck_assert_int_eq(spoa_inherit_add(&inherit, dup(made.fd), true), 0);
	ck_assert_int_eq(spoa_inherit_add(&inherit, dup(made.fd), true), 0);
	ck_assert(!spoa_inherit_take(&inherit, &other, &taken));
	ck_assert(spoa_inherit_take(&inherit, &conf, &taken));
	ck_assert(taken.is_unix && taken.kept);
	ck_assert_str_eq(taken.name, made.name);
	spoa_listen_close(&taken);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(spoa_inherit_done(&inherit, why), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, path));
	spoa_listen_close(&made);
}
END_TEST

START_TEST(environment)
{
	/* LISTEN_FDS is believed only when LISTEN_PID is this process, and is gone afterwards. */
	struct spoa_inherit inherit = {.n = 0};

	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_PID", "1", 1);
	ck_assert_int_eq(spoa_inherit_environment(&inherit, why), 0);
	ck_assert_uint_eq(inherit.n, 0);
	ck_assert_ptr_null(getenv("LISTEN_FDS"));
}
END_TEST

Suite *suite_listen(void)
{
	Suite *suite = suite_create("listen");
	TCase *tc = tcase_create("listen");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, unix_socket);
	tcase_add_test(tc, stale);
	tcase_add_test(tc, live);
	tcase_add_test(tc, other_file);
	tcase_add_test(tc, group);
	tcase_add_test(tc, too_long);
	tcase_add_test(tc, tcp);
	tcase_add_test(tc, inherited);
	tcase_add_test(tc, environment);
	suite_add_tcase(suite, tc);
	return suite;
}
