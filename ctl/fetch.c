#include "ctl/fetch.h"

#include "ctl/args.h"
#include "token/json.h"

#include <stdio.h>

enum ctl_exit ctl_fetch(
	const char *name, const char *socket_path, const char *path, struct net_answer **ret_answer)
{
	cleanup(net_answer) struct net_answer *answer = NULL;
	char why[160] = "";

	if (net_unix_get(socket_path, path, &answer, why)) {
		ctl_args_complain(name, "identityd does not answer on %s: %s", socket_path, why);
		return CTL_UNREACHABLE;
	}
	if (answer->status != 200) {
		ctl_args_complain(name, "identityd answered GET %s with HTTP status %ld", path,
			answer->status);
		return CTL_FAILED;
	}
	*ret_answer = TAKE_PTR(answer);
	return CTL_OK;
}

enum ctl_exit ctl_fetch_post(const char *name, const char *socket_path, const char *path,
	const char *json, struct net_answer **ret_answer)
{
	char why[160] = "";

	if (!net_unix_post(socket_path, path, span_of(json), ret_answer, why))
		return CTL_OK;
	ctl_args_complain(name, "identityd does not answer on %s: %s", socket_path, why);
	return CTL_UNREACHABLE;
}

static enum ctl_exit post(const char *name, const char *socket_path, const char *path,
	const json_t *question, json_t **ret_json)
{
	cleanup(net_answer) struct net_answer *answer = NULL;
	cleanup(free) char *text = json_dumps(question, JSON_COMPACT);
	cleanup(json) json_t *json = NULL;
	enum ctl_exit rc = CTL_FAILED;
	const char *error;

	if (text)
		rc = ctl_fetch_post(name, socket_path, path, text, &answer);
	if (rc)
		return rc;
	json = json_loadb(answer->body, answer->body_len, JSON_REJECT_DUPLICATES, NULL);
	if (answer->status / 100 == 2 && json_is_object(json)) {
		*ret_json = TAKE_PTR(json);
		return CTL_OK;
	}
	error = json_string_value(json_object_get(json, "error"));
	ctl_args_complain(name, "%s", error ? error : "identityd refused");
	return CTL_FAILED;
}

enum ctl_exit ctl_fetch_json(const char *name, const char *socket_path, const char *path,
	const json_t *question, json_t **ret_json)
{
	cleanup(net_answer) struct net_answer *answer = NULL;
	enum ctl_exit rc;
	json_t *json;

	if (question)
		return post(name, socket_path, path, question, ret_json);
	rc = ctl_fetch(name, socket_path, path, &answer);
	if (rc)
		return rc;
	json = json_loadb(answer->body, answer->body_len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(json)) {
		json_decref(json);
		ctl_args_complain(name, "the answer of identityd is not a JSON object");
		return CTL_FAILED;
	}
	*ret_json = json;
	return CTL_OK;
}

void ctl_fetch_print(const json_t *json)
{
	json_dumpf(json, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	putchar('\n');
}
