#include "spoa/service.h"
#include "tests/unit/spoa/suites.h"

#include "base/mem.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct ev_loop *loop;
static struct spoa_service service;
static char name[64];

/* A manager's socket; begun as an abstract name ('@') or a path. */
static int manager(char first)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	size_t n =
		(size_t)snprintf(name, sizeof(name), "%ctmp/identityd-manager-%d", first, getpid());

	memcpy(at.sun_path, name, n);
	if (first == '@')
		at.sun_path[0] = '\0';
	unlink(name);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at,
				 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)),
		0);
	setenv("NOTIFY_SOCKET", name, 1);
	loop = ev_loop_new(EVFLAG_AUTO);
	return fd;
}

static void hears(int fd, const char *begins)
{
	char text[256] = "";
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

	if (!begins) {
		ck_assert_int_eq(n, -1);
		ck_assert_int_eq(errno, EAGAIN);
		return;
	}
	ck_assert_int_gt(n, 0);
	if (strncmp(text, begins, strlen(begins)))
		ck_abort_msg("%s instead of %s", text, begins);
}

static void end(int fd)
{
	spoa_service_done(&service);
	ev_loop_destroy(loop);
	close(fd);
	unlink(name);
}

START_TEST(tells)
{
	/* Goal: each state is one datagram, over a path and over an abstract name. */
	static const char FIRST[] = "/@";
	int fd = manager(FIRST[_i]);

	spoa_service_init(&service, loop);
	ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
	spoa_service_ready(&service);
	hears(fd, "READY=1\n");
	spoa_service_reloading(&service);
	hears(fd, "RELOADING=1\nMONOTONIC_USEC=");
	spoa_service_stopping(&service);
	hears(fd, "STOPPING=1\n");
	hears(fd, NULL);
	end(fd);
}
END_TEST

START_TEST(watchdog)
{
	/* Goal: signs of life come twice in the time that the manager gives, and only if they are wanted of us. */
	static const struct {
		const char *usec, *pid;
		bool wanted;
	} ROWS[] = {{"20000", NULL, true}, {"20000", "1", false}, {"x", NULL, false},
		{NULL, NULL, false}};
	int fd = manager('@');

	if (ROWS[_i].usec)
		setenv("WATCHDOG_USEC", ROWS[_i].usec, 1);
	if (ROWS[_i].pid)
		setenv("WATCHDOG_PID", ROWS[_i].pid, 1);
	spoa_service_init(&service, loop);
	ck_assert_ptr_null(getenv("WATCHDOG_USEC"));
	ck_assert(!!ev_is_active(&service.watchdog) == ROWS[_i].wanted);
	if (ROWS[_i].wanted) {
		ck_assert(service.watchdog.repeat > 0.0099 && service.watchdog.repeat < 0.0101);
		ev_run(loop, EVRUN_ONCE);
	}
	hears(fd, ROWS[_i].wanted ? "WATCHDOG=1" : NULL);
	end(fd);
}
END_TEST

START_TEST(nobody)
{
	/* Goal: without a manager, or with a name that is none, nothing happens and nothing breaks. */
	static const char *const NAMES[] = {NULL, "", "relative", "/", "/nonexistent/manager",
		"/a-name-that-is-longer-than-a-socket's-name-can-be/"
		"0123456789012345678901234567890123"
		"4567890123456789012345678901234567890123456789"};
	int fd = manager('@');

	if (NAMES[_i])
		setenv("NOTIFY_SOCKET", NAMES[_i], 1);
	else
		unsetenv("NOTIFY_SOCKET");
	spoa_service_init(&service, loop);
	ck_assert_int_eq(service.fd, -1);
	spoa_service_ready(&service);
	hears(fd, NULL);
	end(fd);
}
END_TEST

Suite *suite_service(void)
{
	Suite *suite = suite_create("service");
	TCase *tcase = tcase_create("service");

	tcase_add_loop_test(tcase, tells, 0, 2);
	tcase_add_loop_test(tcase, watchdog, 0, 4);
	tcase_add_loop_test(tcase, nobody, 0, 6);
	suite_add_tcase(suite, tcase);
	return suite;
}
