#include "base/mem.h"
#include "ctl/args.h"
#include "ctl/commands.h"
#include "ctl/fetch.h"
#include "ctl/out.h"

#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#define FILE_MAX (60 * 1024) /* of a token, claims, a certificate */

static const struct option OPTIONS[] = {
	{"token", required_argument, NULL, 't'},
	{"provider", required_argument, NULL, 'p'},
	{"claims", required_argument, NULL, 'c'},
	{"cert", required_argument, NULL, 'x'},
	{"source", required_argument, NULL, 'a'},
	{"proxied", no_argument, NULL, 'P'},
	{"socket", required_argument, NULL, 's'},
	{"output", required_argument, NULL, 'o'},
	{0},
};

/* What the command line says. Texts are borrowed from it. */
struct wanted {
	const char *token, *provider, *claims, *cert, *source;
	const char *socket_path, *output;
	bool proxied;
};

static void unref(json_t *json)
{
	json_decref(json);
}
DEFINE_CLEANUP(role_json, json_t *, unref)

/* The text itself, or with '@' that of a file, without the line end (malloc). */
static char *text_or_file(const char *name, const char *text)
{
	char *data = NULL;
	size_t n;
	int rc;

	if (*text != '@')
		return strdup(text);
	rc = ctl_args_read_file(text + 1, FILE_MAX, &data, &n);
	if (rc)
		ctl_args_complain(name, "%s: %s", text + 1, strerror(-rc));
	else
		data[strcspn(data, "\r\n")] = '\0';
	return data;
}

/* The whole file as a JSON text (PEM has line ends). */
static json_t *file_text(const char *name, const char *path)
{
	cleanup(free) char *data = NULL;
	size_t n;
	int rc = ctl_args_read_file(path, FILE_MAX, &data, &n);

	if (rc)
		ctl_args_complain(name, "%s: %s", path, strerror(-rc));
	return rc ? NULL : json_stringn(data, n);
}

static json_t *claims_of(const char *name, const char *text)
{
	cleanup(free) char *data = NULL;
	json_t *claims;
	size_t n;
	int rc = 0;

	if (*text == '@')
		rc = ctl_args_read_file(text + 1, FILE_MAX, &data, &n);
	if (rc) {
		ctl_args_complain(name, "%s: %s", text + 1, strerror(-rc));
		return NULL;
	}
	claims = data ? json_loadb(data, n, JSON_REJECT_DUPLICATES, NULL)
		      : json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	if (!claims)
		ctl_args_complain(name, "the claims are not JSON");
	return claims;
}

/* The question for the daemon (malloc); NULL and a complaint. */
static char *question_of(const char *name, const struct wanted *wanted)
{
	cleanup(role_json) json_t *question = json_object();
	cleanup(free) char *token = NULL;
	int rc = 0;

	if (wanted->token) {
		token = text_or_file(name, wanted->token);
		rc |= !token || json_object_set_new(question, "token", json_string(token));
	}
	if (wanted->claims)
		rc |= json_object_set_new(question, "claims", claims_of(name, wanted->claims));
	if (wanted->provider)
		rc |= json_object_set_new(question, "provider", json_string(wanted->provider));
	if (wanted->cert)
		rc |= json_object_set_new(question, "cert", file_text(name, wanted->cert));
	if (wanted->source)
		rc |= json_object_set_new(question, "source", json_string(wanted->source));
	rc |= json_object_set_new(question, "proxied", json_boolean(wanted->proxied));
	return rc ? NULL : json_dumps(question, JSON_COMPACT);
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "-";
}

static void print_caller(const json_t *caller, FILE *to)
{
	const char *key;
	const json_t *value;

	json_object_foreach ((json_t *)caller, key, value)
		if (json_string_length(value))
			ctl_out_line(to, "%-14s %s", key, json_string_value(value));
}

static void render(const json_t *answer, FILE *to)
{
	static const char *const HEADERS[] = {"ROLE", "ANSWER", "WHY"};
	cleanup(ctl_out_table) struct ctl_out_table table = {.headers = HEADERS, .n_columns = 3};
	const json_t *role;
	size_t i;

	ctl_out_line(to, "%-14s %s", "role", text_of(answer, "role"));
	ctl_out_line(
		to, "%-14s %s (%s)", "reason", text_of(answer, "reason"), text_of(answer, "help"));
	if (json_object_get(answer, "required"))
		ctl_out_line(to, "%-14s %s", "required", text_of(answer, "required"));
	print_caller(json_object_get(answer, "caller"), to);
	json_array_foreach (json_object_get(answer, "roles"), i, role) {
		ctl_out_cell(&table, text_of(role, "role"));
		ctl_out_cell(&table, text_of(role, "answer"));
		ctl_out_cell(&table, text_of(role, "why"));
	}
	ctl_out_table_print(&table, to);
}

static enum ctl_exit ask(const char *name, const struct wanted *wanted, bool as_json)
{
	cleanup(free) char *question = question_of(name, wanted);
	cleanup(net_answer) struct net_answer *reply = NULL;
	cleanup(role_json) json_t *answer = NULL;
	enum ctl_exit rc;

	if (!question)
		return CTL_FAILED;
	rc = ctl_fetch_post(name, wanted->socket_path, "/api/v1/role-test", question, &reply);
	if (rc)
		return rc;
	answer = json_loadb(reply->body, reply->body_len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(answer) || reply->status != 200) {
		ctl_args_complain(name, "identityd does not take the question: %s",
			json_is_object(answer) ? text_of(answer, "error") : "no JSON answer");
		return CTL_FAILED;
	}
	if (as_json) {
		json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
		fputc('\n', stdout);
	} else {
		render(answer, stdout);
	}
	return strcmp(text_of(answer, "reason"), "ok") ? CTL_FAILED : CTL_OK;
}

/* Where an option's text goes; NULL for one that is none. */
static const char **place_of(struct wanted *wanted, int option)
{
	switch (option) {
	case 't':
		return &wanted->token;
	case 'p':
		return &wanted->provider;
	case 'c':
		return &wanted->claims;
	case 'x':
		return &wanted->cert;
	case 'a':
		return &wanted->source;
	case 's':
		return &wanted->socket_path;
	case 'o':
		return &wanted->output;
	default:
		return NULL;
	}
}

enum ctl_exit ctl_role_test(int argc, char **argv)
{
	struct wanted wanted = {.socket_path = CTL_DEFAULT_SOCKET, .output = "text"};
	const char **place;
	int c;

	while ((c = getopt_long(argc, argv, "s:o:", OPTIONS, NULL)) >= 0) {
		place = place_of(&wanted, c);
		if (place)
			*place = optarg;
		else if (c == 'P')
			wanted.proxied = true;
		else
			return ctl_args_usage(argv[0], "wrong options");
	}
	if (optind != argc)
		return ctl_args_usage(argv[0], "'%s' is too much", argv[optind]);
	if (strcmp(wanted.output, "text") != 0 && strcmp(wanted.output, "json") != 0)
		return ctl_args_usage(argv[0], "-o takes text or json");
	if (!wanted.token && !wanted.claims && !wanted.cert)
		return ctl_args_usage(argv[0], "--token, --claims or --cert is needed");
	if (wanted.claims && !wanted.provider)
		return ctl_args_usage(argv[0], "--claims needs --provider");
	return ask(argv[0], &wanted, !strcmp(wanted.output, "json"));
}
