/*
 * Who may connect to one listener, besides what the socket's mode and group
 * say: users and groups as the kernel attests them (SO_PEERCRED and
 * SO_PEERGROUPS of unix(7)), or addresses. An empty list asks nothing.
 */
#ifndef SPOA_ACCESS_H
#define SPOA_ACCESS_H

#include "base/cidr.h"
#include "base/diag.h"
#include "base/mem.h"
#include "conf/conf.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

struct spoa_access {
	uid_t *users;
	size_t n_users;
	gid_t *groups;
	size_t n_groups;
	struct base_cidr *nets;
	size_t n_nets;
};

/*
 * Numbers for the names. A name that the system does not know, and an address
 * that is none, go to diag. 0 or -ENOMEM; either way spoa_access_done.
 */
int spoa_access_compile(const struct conf_listen *conf, struct spoa_access *access,
	struct base_diag *diag) must_check;
void spoa_access_done(struct spoa_access *access);

/* A group by its name or number. 0 or -ENOENT. */
int spoa_access_group(const char *text, gid_t *ret_gid) must_check;

/* The process at the other end of a unix socket: its user is on the list, or one of its groups. */
bool spoa_access_process(
	const struct spoa_access *access, const struct ucred *cred, const gid_t *groups, size_t n);

/* The other end of a TCP connection. */
bool spoa_access_address(const struct spoa_access *access, const struct sockaddr_storage *address);

#endif
