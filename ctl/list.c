/* Lists and questions about what the daemon has, over its admin socket. */
#include "ctl/args.h"
#include "ctl/commands.h"
#include "ctl/fetch.h"
#include "ctl/options.h"
#include "ctl/out.h"
#include "ctl/status_render.h"
#include "token/json.h"

#include <stdio.h>
#include <string.h>

#define BOTH (CTL_TAKES_SOCKET | CTL_TAKES_OUTPUT)

static enum ctl_exit list(
	int argc, char **argv, const char *path, void (*render)(const json_t *object, FILE *to))
{
	cleanup(json) json_t *json = NULL;
	struct ctl_options o;
	enum ctl_exit rc = ctl_options_read(argc, argv, NULL, 0, BOTH, 0, 0, NULL, &o);

	if (!rc)
		rc = ctl_fetch_json(argv[0], o.socket, path, NULL, &json);
	if (rc)
		return rc;
	if (o.json)
		ctl_fetch_print(json);
	else
		render(json, stdout);
	return CTL_OK;
}

enum ctl_exit ctl_identity_list(int argc, char **argv)
{
	return list(argc, argv, "/api/v1/identities", ctl_status_identities);
}

enum ctl_exit ctl_provider_list(int argc, char **argv)
{
	return list(argc, argv, "/api/v1/providers", ctl_status_providers);
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text && *text ? text : "-";
}

static void number_cell(struct ctl_out_table *table, const json_t *value)
{
	char text[24] = "-";

	if (json_is_integer(value))
		snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(value));
	ctl_out_cell(table, text);
}

static void render_flows(const json_t *object, FILE *to)
{
	static const char *const HEADERS[] = {"CLIENT", "LOCAL", "IDENTITY", "EXPIRES IN", "NOTES"};
	cleanup(ctl_out_table) struct ctl_out_table table = {
		.headers = HEADERS, .n_columns = ARRAY_SIZE(HEADERS)};
	const json_t *flows = json_object_get(object, "flows");
	const json_t *flow;
	size_t i;

	json_array_foreach (flows, i, flow) {
		bool revoked = json_is_true(json_object_get(flow, "revoked"));
		bool shared = json_is_true(json_object_get(flow, "shared"));

		ctl_out_cell(&table, text_of(flow, "client"));
		ctl_out_cell(&table, text_of(flow, "local"));
		number_cell(&table, json_object_get(flow, "identity"));
		number_cell(&table, json_object_get(flow, "expires_in_s"));
		ctl_out_cell(&table, revoked ? "revoked" : shared ? "shared" : "");
	}
	ctl_out_table_print(&table, to);
	fprintf(to, "%zu of %lld\n", json_array_size(flows),
		(long long)json_integer_value(json_object_get(object, "matched")));
}

static enum ctl_exit fetch_flows(
	const char *name, const char *socket, long long identity, long long limit, json_t **ret)
{
	char path[100];

	snprintf(path, sizeof(path), "/api/v1/flows?identity=%lld&limit=%lld", identity, limit);
	return ctl_fetch_json(name, socket, path, NULL, ret);
}

enum ctl_exit ctl_flow_list(int argc, char **argv)
{
	enum { IDENTITY, LIMIT };
	static const struct ctl_option OPTIONS[] = {{"identity", 0, 0}, {"limit", 0, 0}};
	cleanup(json) json_t *json = NULL;
	long long identity = 0, limit = 1000;
	struct ctl_options o;
	enum ctl_exit rc =
		ctl_options_read(argc, argv, OPTIONS, ARRAY_SIZE(OPTIONS), BOTH, 0, 0, NULL, &o);

	if (rc)
		return rc;
	if (o.values[IDENTITY] && !ctl_options_number(o.values[IDENTITY], 1, UINT32_MAX, &identity))
		return ctl_args_usage(argv[0], "'%s' is no identity", o.values[IDENTITY]);
	if (o.values[LIMIT] && !ctl_options_number(o.values[LIMIT], 1, 10000, &limit))
		return ctl_args_usage(argv[0], "--limit takes 1 to 10000");
	rc = fetch_flows(argv[0], o.socket, identity, limit, &json);
	if (rc)
		return rc;
	if (o.json)
		ctl_fetch_print(json);
	else
		render_flows(json, stdout);
	return CTL_OK;
}

static json_t *find_identity(const json_t *all, long long number)
{
	json_t *identity;
	size_t i;

	json_array_foreach (json_object_get(all, "identities"), i, identity)
		if (json_integer_value(json_object_get(identity, "id")) == number)
			return identity;
	return NULL;
}

static void render_identity(const json_t *identity, const json_t *flows, FILE *to)
{
	static const char *const KEYS[] = {"provenance", "role", "labels"};

	ctl_out_line(to, "%-12s %lld", "identity",
		(long long)json_integer_value(json_object_get(identity, "id")));
	for (size_t i = 0; i < ARRAY_SIZE(KEYS); i++)
		ctl_out_line(to, "%-12s %s", KEYS[i], text_of(identity, KEYS[i]));
	if (!flows)
		return;
	fputc('\n', to);
	render_flows(flows, to);
}

enum ctl_exit ctl_identity_show(int argc, char **argv)
{
	static const char WANTED[] = "one identity is needed, as the list shows it";
	cleanup(json) json_t *all = NULL;
	cleanup(json) json_t *flows = NULL;
	cleanup(json) json_t *status = NULL;
	struct ctl_options o;
	long long number;
	json_t *identity;
	enum ctl_exit rc = ctl_options_read(argc, argv, NULL, 0, BOTH, 1, 1, WANTED, &o);

	if (rc)
		return rc;
	if (!ctl_options_number(o.rest[0], 1, UINT32_MAX, &number))
		return ctl_args_usage(argv[0], "%s", WANTED);
	rc = ctl_fetch_json(argv[0], o.socket, "/api/v1/identities", NULL, &all);
	if (!rc)
		rc = ctl_fetch_json(argv[0], o.socket, "/api/v1/status", NULL, &status);
	if (rc)
		return rc;
	identity = find_identity(all, number);
	if (!identity) {
		ctl_args_complain(argv[0], "no role has the identity %lld", number);
		return CTL_FAILED;
	}
	/* Without maps there are no flows to ask for. */
	if (!strcmp(text_of(json_object_get(status, "bpf"), "state"), "enforced"))
		rc = fetch_flows(argv[0], o.socket, number, 1000, &flows);
	if (rc)
		return rc;
	if (o.json) {
		json_object_set(identity, "flows", json_object_get(flows, "flows"));
		ctl_fetch_print(identity);
	} else {
		render_identity(identity, flows, stdout);
	}
	return CTL_OK;
}

enum ctl_exit ctl_policy_test(int argc, char **argv)
{
	enum { ROLE, SERVICE, METHOD, PATH, QUERY, HOST, IDENTITY };
	static const struct ctl_option OPTIONS[] = {{"role", 0, 0}, {"service", 0, 0},
		{"method", 0, 0}, {"path", 0, 0}, {"query", 0, 0}, {"host", 0, 0},
		{"identity", 0, 0}};
	cleanup(json) json_t *question = json_object();
	cleanup(json) json_t *answer = NULL;
	long long identity;
	struct ctl_options o;
	enum ctl_exit rc =
		ctl_options_read(argc, argv, OPTIONS, ARRAY_SIZE(OPTIONS), BOTH, 0, 0, NULL, &o);

	if (rc)
		return rc;
	if (!o.values[ROLE] == !o.values[IDENTITY] || !o.values[SERVICE])
		return ctl_args_usage(argv[0], "--service is needed, and --role or --identity");
	if (o.values[IDENTITY] &&
		(!ctl_options_number(o.values[IDENTITY], 1, UINT32_MAX, &identity) ||
			json_object_set_new(question, "identity", json_integer(identity))))
		return ctl_args_usage(argv[0], "'%s' is no identity", o.values[IDENTITY]);
	for (size_t i = 0; i < IDENTITY; i++)
		if (o.values[i] &&
			json_object_set_new(question, OPTIONS[i].name, json_string(o.values[i])))
			return ctl_args_usage(argv[0], "a text is not UTF-8");
	rc = ctl_fetch_json(argv[0], o.socket, "/api/v1/policy/explain", question, &answer);
	if (rc)
		return rc;
	if (o.json)
		ctl_fetch_print(answer);
	else
		ctl_out_line(stdout, "%s: %s, by %s%s", text_of(answer, "verdict"),
			text_of(answer, "reason"), text_of(answer, "policy"),
			json_is_true(json_object_get(answer, "audited"))
				? " (only audited: it would be denied)"
				: "");
	return strcmp(text_of(answer, "verdict"), "allow") ? CTL_FAILED : CTL_OK;
}
