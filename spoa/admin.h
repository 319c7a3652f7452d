/*
 * The admin interface: read-only HTTP on a unix socket (libmicrohttpd, driven
 * by the main thread's loop). Who may ask is the socket's mode and group.
 */
#ifndef SPOA_ADMIN_H
#define SPOA_ADMIN_H

#include "base/mem.h"

#include <ev.h>

struct spoa_admin;

/* The body of one answer (malloc, taken over; NULL: 500) and its HTTP status. */
typedef char *spoa_admin_render(void *arg, unsigned *ret_status);

struct spoa_admin_route {
	const char *path;
	const char *content_type;
	spoa_admin_render *render;
};

/* Serves GET and HEAD of these routes on a listening socket, which it takes over. 0 or -errno. */
int spoa_admin_new(struct ev_loop *loop, int fd, const struct spoa_admin_route *routes,
	size_t n_routes, void *arg, struct spoa_admin **ret) must_check;
void spoa_admin_free(struct spoa_admin *admin);

#endif
