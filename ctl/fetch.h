/* One question to the daemon's admin socket. */
#ifndef CTL_FETCH_H
#define CTL_FETCH_H

#include "ctl/commands.h"
#include "net/net.h"

#include <jansson.h>

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

/*
 * The same for an answer that is a JSON object, the caller's: CTL_FAILED with
 * the daemon's own words when it refuses. question NULL: GET.
 */
enum ctl_exit ctl_fetch_json(const char *name, const char *socket_path, const char *path,
	const json_t *question, json_t **ret_json) must_check;

/* Indented, and nothing but printable ASCII: jansson escapes the rest. */
void ctl_fetch_print(const json_t *json);

#endif
