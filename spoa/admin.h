/*
 * The admin interface: on its unix socket for whoever the socket's mode lets
 * in, and by TCP, where that is configured, for those who prove that they may.
 * Its routes are in status.c.
 */
#ifndef SPOA_ADMIN_H
#define SPOA_ADMIN_H

#include "conf/conf.h"
#include "spoa/http.h"

struct spoa_daemon;
struct spoa_admin;

#define SPOA_ADMIN_WHY 256

/*
 * Serves on two listening sockets (the second may be -1), which it takes over;
 * certificates and token are read now, as the user that the daemon is. 0, or
 * -errno with a sentence in why.
 */
int spoa_admin_new(struct ev_loop *loop, int unix_fd, int tcp_fd, const struct conf *conf,
	struct spoa_daemon *daemon, struct spoa_admin **ret, char why[SPOA_ADMIN_WHY]) must_check;
/*
 * After a reload: the token is read again. One that cannot be used leaves the old one good, and
 * TLS files that changed wait for a restart; the log says both. NULL is fine.
 */
void spoa_admin_renew(struct spoa_admin *admin, const struct conf *conf);
/* As spoa_http_quiet. NULL is fine. */
void spoa_admin_quiet(struct spoa_admin *admin);
void spoa_admin_free(struct spoa_admin *admin);

DEFINE_CLEANUP(spoa_admin, struct spoa_admin *, spoa_admin_free)

#endif
