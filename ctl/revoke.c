#include "ctl/args.h"
#include "ctl/commands.h"
#include "ctl/fetch.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void unref(json_t *json)
{
	json_decref(json);
}
DEFINE_CLEANUP(revoke_json, json_t *, unref)

enum { FIELDS = 5 };
static const char *const FIELD_NAMES[FIELDS] = {"iss", "sub", "sid", "jti", "client"};

/* The first five are the fields. */
static const struct option OPTIONS[] = {
	{"iss", required_argument, NULL, 0},
	{"sub", required_argument, NULL, 1},
	{"sid", required_argument, NULL, 2},
	{"jti", required_argument, NULL, 3},
	{"client", required_argument, NULL, 4},
	{"issued-before", required_argument, NULL, 'b'},
	{"ttl", required_argument, NULL, 't'},
	{"socket", required_argument, NULL, 's'},
	{"output", required_argument, NULL, 'o'},
	{0},
};

/* "now", or seconds since 1970. */
static int read_time(const char *text, int64_t *ret_time)
{
	char *end;

	if (!strcmp(text, "now")) {
		*ret_time = (int64_t)time(NULL) + 1;
		return 0;
	}
	errno = 0;
	*ret_time = strtoll(text, &end, 10);
	return errno || *end || *ret_time <= 0 ? -EINVAL : 0;
}

static enum ctl_exit ask(const char *name, const char *socket_path, const char *path,
	const json_t *question, json_t **ret_answer)
{
	cleanup(net_answer) struct net_answer *answer = NULL;
	cleanup(revoke_json) json_t *json = NULL;
	cleanup(free) char *text = json_dumps(question, JSON_COMPACT);
	enum ctl_exit rc = CTL_FAILED;

	if (text)
		rc = ctl_fetch_post(name, socket_path, path, text, &answer);
	if (rc != CTL_OK)
		return rc;
	json = json_loadb(answer->body, answer->body_len, JSON_REJECT_DUPLICATES, NULL);
	if (answer->status / 100 == 2 && json_is_object(json)) {
		*ret_answer = TAKE_PTR(json);
		return CTL_OK;
	}
	ctl_args_complain(name, "%s",
		json_is_string(json_object_get(json, "error"))
			? json_string_value(json_object_get(json, "error"))
			: "identityd refused");
	return CTL_FAILED;
}

static enum ctl_exit add(const char *name, const char *socket_path, const json_t *question)
{
	cleanup(revoke_json) json_t *answer = NULL;
	enum ctl_exit rc = ask(name, socket_path, "/api/v1/revocations", question, &answer);

	if (rc == CTL_OK)
		printf("revoked: id %lld, until %lld\n",
			(long long)json_integer_value(json_object_get(answer, "id")),
			(long long)json_integer_value(json_object_get(answer, "expires")));
	return rc;
}

static int set_time(json_t *question, const char *name, int64_t time)
{
	return json_object_set_new(question, name, json_integer(time));
}

enum ctl_exit ctl_revoke_add(int argc, char **argv)
{
	cleanup(revoke_json) json_t *question = json_object();
	const char *socket_path = CTL_DEFAULT_SOCKET;
	int64_t number;
	int c, rc = 0;

	while ((c = getopt_long(argc, argv, "s:", OPTIONS, NULL)) >= 0) {
		if (c < FIELDS)
			rc = json_object_set_new(question, FIELD_NAMES[c], json_string(optarg));
		else if (c == 'b' && !read_time(optarg, &number))
			rc = set_time(question, "issued_before", number);
		else if (c == 't' && !ctl_args_duration(optarg, &number) && number > 0)
			rc = set_time(question, "expires", (int64_t)time(NULL) + number);
		else if (c == 's')
			socket_path = optarg;
		else
			return ctl_args_usage(argv[0], "wrong options");
		if (rc)
			return ctl_args_usage(argv[0], "a text is not UTF-8");
	}
	if (optind < argc)
		return ctl_args_usage(argv[0], "'%s' is one argument too many", argv[optind]);
	return add(argv[0], socket_path, question);
}

enum ctl_exit ctl_revoke_remove(int argc, char **argv)
{
	cleanup(revoke_json) json_t *question = json_object();
	cleanup(revoke_json) json_t *answer = NULL;
	const char *socket_path = CTL_DEFAULT_SOCKET;
	int64_t id;
	int c;

	while ((c = getopt_long(argc, argv, "s:", OPTIONS, NULL)) >= 0) {
		if (c != 's')
			return ctl_args_usage(argv[0], "wrong options");
		socket_path = optarg;
	}
	if (optind != argc - 1 || read_time(argv[optind], &id) || !strcmp(argv[optind], "now"))
		return ctl_args_usage(argv[0], "one id is needed, as the list shows it");
	if (set_time(question, "id", id))
		return CTL_FAILED;
	return ask(argv[0], socket_path, "/api/v1/revocations/remove", question, &answer);
}

/* One value without anything that a terminal could act on. */
static void print_text(const char *name, const json_t *value)
{
	cleanup(free) char *text =
		json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII | JSON_COMPACT);

	if (text)
		printf(" %s=%s", name, text);
}

static void print_list(const json_t *list)
{
	static const char *const SHOWN[] = {
		"iss", "sub", "sid", "jti", "client", "issued_before", "expires", "source"};
	const json_t *all = json_object_get(list, "revocations");

	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *one = json_array_get(all, i);

		printf("%lld", (long long)json_integer_value(json_object_get(one, "id")));
		for (size_t k = 0; k < ARRAY_SIZE(SHOWN); k++)
			if (json_object_get(one, SHOWN[k]))
				print_text(SHOWN[k], json_object_get(one, SHOWN[k]));
		putchar('\n');
	}
	printf("%lld in force, at most %lld\n",
		(long long)json_integer_value(json_object_get(list, "count")),
		(long long)json_integer_value(json_object_get(list, "max")));
}

static enum ctl_exit list(const char *name, const char *socket_path, bool as_json)
{
	cleanup(net_answer) struct net_answer *answer = NULL;
	cleanup(revoke_json) json_t *json = NULL;
	enum ctl_exit rc = ctl_fetch(name, socket_path, "/api/v1/revocations", &answer);

	if (rc)
		return rc;
	json = json_loadb(answer->body, answer->body_len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(json)) {
		ctl_args_complain(name, "the answer of identityd is not a JSON object");
		return CTL_FAILED;
	}
	if (!as_json) {
		print_list(json);
		return CTL_OK;
	}
	json_dumpf(json, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	putchar('\n');
	return CTL_OK;
}

enum ctl_exit ctl_revoke_list(int argc, char **argv)
{
	const char *socket_path = CTL_DEFAULT_SOCKET;
	const char *output = "text";
	int c;

	while ((c = getopt_long(argc, argv, "s:o:", OPTIONS, NULL)) >= 0) {
		if (c == 's')
			socket_path = optarg;
		else if (c == 'o')
			output = optarg;
		else
			return ctl_args_usage(argv[0], "wrong options");
	}
	if (optind < argc)
		return ctl_args_usage(argv[0], "'%s' is one argument too many", argv[optind]);
	if (strcmp(output, "text") && strcmp(output, "json"))
		return ctl_args_usage(argv[0], "-o takes text or json, not '%s'", output);
	return list(argv[0], socket_path, !strcmp(output, "json"));
}
