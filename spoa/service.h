/*
 * The service manager (sd_notify(3)): that we are ready, reload, stop, and
 * still turn. Without NOTIFY_SOCKET in the environment every call does nothing.
 */
#ifndef SPOA_SERVICE_H
#define SPOA_SERVICE_H

#include <ev.h>

struct spoa_service {
	int fd;            /* -1: nobody asked */
	ev_timer watchdog; /* half of WATCHDOG_USEC (sd_watchdog_enabled(3)) */
	struct ev_loop *loop;
};

/*
 * Takes NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID out of the environment.
 * Before privileges are given up: the socket may be root's.
 */
void spoa_service_init(struct spoa_service *service, struct ev_loop *loop);
void spoa_service_done(struct spoa_service *service);

void spoa_service_ready(struct spoa_service *service);
void spoa_service_reloading(struct spoa_service *service);
void spoa_service_stopping(struct spoa_service *service);

#endif
