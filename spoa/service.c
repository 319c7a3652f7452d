#include "spoa/service.h"

#include "base/clock.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void tell(struct spoa_service *service, const char *text)
{
	/* A manager that does not listen is not our trouble: it ends us if it must. */
	if (service->fd >= 0)
		(void)!send(service->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void on_watchdog(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	tell(timer->data, "WATCHDOG=1");
}

/* A path, or an abstract name that begins with '@'. */
static int connect_to(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t n = strlen(path);
	int fd;

	if ((path[0] != '/' && path[0] != '@') || n < 2 || n >= sizeof(to.sun_path))
		return -1;
	memcpy(to.sun_path, path, n);
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&to,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Seconds between two signs of life; 0: none are wanted, or from another process. */
static double watchdog_seconds(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	char *end;
	double interval;

	if (!usec || (pid && strtol(pid, NULL, 10) != (long)getpid()))
		return 0.;
	errno = 0;
	interval = (double)strtoul(usec, &end, 10) / 1e6;
	return errno || *end || end == usec ? 0. : interval / 2.;
}

void spoa_service_init(struct spoa_service *service, struct ev_loop *loop)
{
	const char *path = getenv("NOTIFY_SOCKET");
	double every = watchdog_seconds();

	*service = (struct spoa_service){.fd = path ? connect_to(path) : -1, .loop = loop};
	ev_timer_init(&service->watchdog, on_watchdog, every, every);
	service->watchdog.data = service;
	if (service->fd >= 0 && every > 0.)
		ev_timer_start(loop, &service->watchdog);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

void spoa_service_done(struct spoa_service *service)
{
	if (!service->loop) /* never begun */
		return;
	ev_timer_stop(service->loop, &service->watchdog);
	if (service->fd >= 0)
		close(service->fd);
	service->fd = -1;
}

void spoa_service_ready(struct spoa_service *service)
{
	tell(service, "READY=1\nSTATUS=answering HAProxy");
}

void spoa_service_reloading(struct spoa_service *service)
{
	struct base_now now;
	char text[64];

	/* Type=notify-reload of systemd 253 wants the time, too. */
	base_clock_now(&now);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu",
		(unsigned long long)(now.mono_ns / 1000));
	tell(service, text);
}

void spoa_service_stopping(struct spoa_service *service)
{
	tell(service, "STOPPING=1\nSTATUS=answering what is open");
}
