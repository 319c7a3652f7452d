#include "ctl/args.h"
#include "ctl/commands.h"
#include "ctl/fetch.h"
#include "ctl/options.h"
#include "token/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { ISS, SUB, SID, JTI, CLIENT, ISSUED_BEFORE, TTL };
static const struct ctl_option OPTIONS[] = {{"iss", 0, 0}, {"sub", 0, 0}, {"sid", 0, 0},
	{"jti", 0, 0}, {"client", 0, 0}, {"issued-before", 0, 0}, {"ttl", 0, 0}};

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

static int set_time(json_t *question, const char *name, int64_t time)
{
	return json_object_set_new(question, name, json_integer(time));
}

/* CTL_OK with everything in question. */
static enum ctl_exit read_question(const char *name, const struct ctl_options *o, json_t *question)
{
	const char *before = o->values[ISSUED_BEFORE], *ttl = o->values[TTL];
	int64_t number;

	for (int i = ISS; i <= CLIENT; i++)
		if (o->values[i] &&
			json_object_set_new(question, OPTIONS[i].name, json_string(o->values[i])))
			return ctl_args_usage(name, "a text is not UTF-8");
	if (before && read_time(before, &number))
		return ctl_args_usage(name, "'%s' is no time: now, or seconds since 1970", before);
	if (before && set_time(question, "issued_before", number))
		return CTL_FAILED;
	if (ttl && (ctl_args_duration(ttl, &number) || number <= 0))
		return ctl_args_usage(name, "'%s' is no duration: 90s, 15m, 8h, 30d", ttl);
	if (ttl && set_time(question, "expires", (int64_t)time(NULL) + number))
		return CTL_FAILED;
	return CTL_OK;
}

enum ctl_exit ctl_revoke_add(int argc, char **argv)
{
	cleanup(json) json_t *question = json_object();
	cleanup(json) json_t *answer = NULL;
	struct ctl_options o;
	enum ctl_exit rc = ctl_options_read(
		argc, argv, OPTIONS, ARRAY_SIZE(OPTIONS), CTL_TAKES_SOCKET, 0, 0, NULL, &o);

	if (!rc)
		rc = read_question(argv[0], &o, question);
	if (!rc)
		rc = ctl_fetch_json(argv[0], o.socket, "/api/v1/revocations", question, &answer);
	if (!rc)
		printf("revoked: id %lld, until %lld\n",
			(long long)json_integer_value(json_object_get(answer, "id")),
			(long long)json_integer_value(json_object_get(answer, "expires")));
	return rc;
}

enum ctl_exit ctl_revoke_remove(int argc, char **argv)
{
	static const char WANTED[] = "one id is needed, as the list shows it";
	cleanup(json) json_t *question = json_object();
	cleanup(json) json_t *answer = NULL;
	struct ctl_options o;
	long long id;
	enum ctl_exit rc =
		ctl_options_read(argc, argv, NULL, 0, CTL_TAKES_SOCKET, 1, 1, WANTED, &o);

	if (rc)
		return rc;
	if (!ctl_options_number(o.rest[0], 1, INT64_MAX, &id))
		return ctl_args_usage(argv[0], "%s", WANTED);
	if (set_time(question, "id", id))
		return CTL_FAILED;
	return ctl_fetch_json(argv[0], o.socket, "/api/v1/revocations/remove", question, &answer);
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

enum ctl_exit ctl_revoke_list(int argc, char **argv)
{
	cleanup(json) json_t *list = NULL;
	struct ctl_options o;
	enum ctl_exit rc = ctl_options_read(
		argc, argv, NULL, 0, CTL_TAKES_SOCKET | CTL_TAKES_OUTPUT, 0, 0, NULL, &o);

	if (!rc)
		rc = ctl_fetch_json(argv[0], o.socket, "/api/v1/revocations", NULL, &list);
	if (rc)
		return rc;
	if (o.json)
		ctl_fetch_print(list);
	else
		print_list(list);
	return CTL_OK;
}
