#include "base/mem.h"
#include "ctl/args.h"
#include "ctl/commands.h"
#include "ctl/fetch.h"
#include "ctl/options.h"
#include "ctl/out.h"
#include "token/json.h"

#include <stdbool.h>
#include <string.h>

#define FILE_MAX (60 * 1024) /* of a token, claims, a certificate */

enum { TOKEN, PROVIDER, CLAIMS, CERT, SOURCE, WORKLOAD, PROXIED };
static const struct ctl_option OPTIONS[] = {{"token", 0, 0}, {"provider", 0, 0}, {"claims", 0, 0},
	{"cert", 0, 0}, {"source", 0, 0}, {"workload", 0, 0}, {"proxied", 1, 0}};

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

/* The question for the daemon; NULL and a complaint. */
static json_t *question_of(const char *name, const char *const *values)
{
	cleanup(json) json_t *question = json_object();
	cleanup(free) char *token = NULL;
	int rc = 0;

	if (values[TOKEN]) {
		token = text_or_file(name, values[TOKEN]);
		rc |= !token || json_object_set_new(question, "token", json_string(token));
	}
	if (values[CLAIMS])
		rc |= json_object_set_new(question, "claims", claims_of(name, values[CLAIMS]));
	if (values[PROVIDER])
		rc |= json_object_set_new(question, "provider", json_string(values[PROVIDER]));
	if (values[CERT])
		rc |= json_object_set_new(question, "cert", file_text(name, values[CERT]));
	if (values[SOURCE])
		rc |= json_object_set_new(question, "source", json_string(values[SOURCE]));
	if (values[WORKLOAD])
		rc |= json_object_set_new(question, "workload", json_string(values[WORKLOAD]));
	rc |= json_object_set_new(question, "proxied", json_boolean(values[PROXIED]));
	return rc ? NULL : TAKE_PTR(question);
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

/* Who is at the address, and whether the token is that one's. */
static void print_workload(const json_t *workload, FILE *to)
{
	if (!workload)
		return;
	ctl_out_line(to, "%-14s %s %s", "workload", text_of(workload, "where"),
		text_of(workload, "labels"));
	if (json_object_get(workload, "bound"))
		ctl_out_line(to, "%-14s %s: %s", "token's", text_of(workload, "token"),
			text_of(workload, "bound"));
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
	if (json_object_get(answer, "labels"))
		ctl_out_line(to, "%-14s %s", "labels", text_of(answer, "labels"));
	if (json_object_get(answer, "identity"))
		ctl_out_line(to, "%-14s %lld (%s)", "identity",
			(long long)json_integer_value(json_object_get(answer, "identity")),
			text_of(answer, "provenance"));
	if (json_object_get(answer, "identity_why"))
		ctl_out_line(to, "%-14s %s", "identity", text_of(answer, "identity_why"));
	if (json_object_get(answer, "required"))
		ctl_out_line(to, "%-14s %s", "required", text_of(answer, "required"));
	print_caller(json_object_get(answer, "caller"), to);
	print_workload(json_object_get(answer, "workload"), to);
	json_array_foreach (json_object_get(answer, "roles"), i, role) {
		ctl_out_cell(&table, text_of(role, "role"));
		ctl_out_cell(&table, text_of(role, "answer"));
		ctl_out_cell(&table, text_of(role, "why"));
	}
	ctl_out_table_print(&table, to);
}

enum ctl_exit ctl_role_test(int argc, char **argv)
{
	cleanup(json) json_t *question = NULL;
	cleanup(json) json_t *answer = NULL;
	struct ctl_options o;
	enum ctl_exit rc = ctl_options_read(argc, argv, OPTIONS, ARRAY_SIZE(OPTIONS),
		CTL_TAKES_SOCKET | CTL_TAKES_OUTPUT, 0, 0, NULL, &o);

	if (rc)
		return rc;
	if (!o.values[TOKEN] && !o.values[CLAIMS] && !o.values[CERT] && !o.values[SOURCE] &&
		!o.values[WORKLOAD])
		return ctl_args_usage(
			argv[0], "--token, --claims, --cert, --source or --workload is needed");
	if (o.values[CLAIMS] && !o.values[PROVIDER])
		return ctl_args_usage(argv[0], "--claims needs --provider");
	question = question_of(argv[0], o.values);
	if (!question)
		return CTL_FAILED;
	rc = ctl_fetch_json(argv[0], o.socket, "/api/v1/role-test", question, &answer);
	if (rc)
		return rc;
	if (o.json)
		ctl_fetch_print(answer);
	else
		render(answer, stdout);
	return strcmp(text_of(answer, "reason"), "ok") ? CTL_FAILED : CTL_OK;
}
