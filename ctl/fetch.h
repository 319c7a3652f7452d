/* One question to the daemon's admin socket. */
#ifndef CTL_FETCH_H
#define CTL_FETCH_H

#include "ctl/commands.h"
#include "net/net.h"

/*
 * GET path. CTL_OK and a 200 answer that is the caller's; else the complaint
 * is on stderr already: CTL_UNREACHABLE, or CTL_FAILED for any other status.
 */
enum ctl_exit ctl_fetch(const char *name, const char *socket_path, const char *path,
	struct net_answer **ret_answer) must_check;

/*
 * POST path with this JSON. CTL_OK and the answer, whatever its status; else
 * the complaint is on stderr already, and it is CTL_UNREACHABLE.
 */
enum ctl_exit ctl_fetch_post(const char *name, const char *socket_path, const char *path,
	const char *json, struct net_answer **ret_answer) must_check;

#endif
