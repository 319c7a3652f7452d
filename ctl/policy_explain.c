#include "ctl/args.h"
#include "ctl/out.h"
#include "ctl/policy_ask.h"
#include "policy/explain.h"
#include "policy/path.h"

#include <errno.h>
#include <string.h>

/* What is being explained, and where it goes. */
struct explaining {
	const struct ctl_policy_ask *ask;
	const struct policy_set *set;
	struct policy_answer answer;
	struct ctl_out_table table;
	json_t *rules; /* with -o json */
	bool bad;
};

static const char *word_of(const struct policy_answer *answer)
{
	static const char *const WORDS[] = {"allow", "deny", "error"};

	return answer->audited ? "audit" : WORDS[answer->verdict];
}

static void add_json(struct explaining *e, const struct policy_explained *x)
{
	json_t *rule = json_pack("{s:s, s:s, s:i, s:s, s:b, s:s, s:s}", "rule", x->rule, "file",
		x->file, "line", (int)x->line, "action", x->deny ? "deny" : "allow", "audit",
		x->audit, "fit", policy_fit_name(x->fit), "detail", x->detail);

	e->bad = e->bad || !rule || json_array_append_new(e->rules, rule);
}

static void add_rule(void *arg, const struct policy_explained *x)
{
	struct explaining *e = arg;

	if (e->rules) {
		add_json(e, x);
		return;
	}
	ctl_out_cell(&e->table, x->rule);
	ctl_out_cell(&e->table, x->deny ? "deny" : x->audit ? "allow (audit)" : "allow");
	ctl_out_cell(&e->table, policy_fit_name(x->fit));
	ctl_out_cell(&e->table, x->detail);
}

static void print_text(const struct explaining *e, const char *cause)
{
	const struct policy_answer *a = &e->answer;
	const char *file;
	unsigned line;

	ctl_out_line(stdout, "verdict: %s", word_of(a));
	if (a->cause.rule == UINT32_MAX) {
		ctl_out_line(stdout, "decided by: %s", cause);
	} else {
		policy_cause_where(e->set, &a->cause, &file, &line);
		ctl_out_line(stdout, "decided by: %s (%s:%u)", cause, file, line);
	}
	ctl_out_line(stdout, "l4: %s", a->l4 == POLICY_ALLOW ? "allow" : "deny");
	if (a->has_l7 && !e->ask->has_http)
		ctl_out_line(stdout, "l7: rules look at the request; give --method, --path, ...");
	else if (a->has_l7)
		ctl_out_line(stdout, "l7: %s",
			a->l7 == POLICY_ALLOW  ? "allow"
			: a->l7 == POLICY_DENY ? "deny"
					       : "error");
	ctl_out_line(stdout, "%s", "");
	ctl_out_table_print(&e->table, stdout);
}

static enum ctl_exit print_json(struct explaining *e, const char *cause)
{
	const struct policy_answer *a = &e->answer;
	static const char *const WORDS[] = {"allow", "deny", "error"};
	cleanup(ctl_json) json_t *root = json_pack("{s:s, s:s, s:s, s:O}", "verdict", word_of(a),
		"decided_by", cause, "l4", WORDS[a->l4], "rules", e->rules);

	if (!root || e->bad)
		return CTL_FAILED;
	if (a->has_l7 && e->ask->has_http &&
		json_object_set_new(root, "l7", json_string(WORDS[a->l7])))
		return CTL_FAILED;
	json_dumpf(root, stdout, JSON_INDENT(2));
	putchar('\n');
	return CTL_OK;
}

/* The path as the daemon would look at it; what it would refuse is said. */
static enum ctl_exit normalise(const char *name, struct ctl_policy_ask *ask, char *buf)
{
	struct span path = ask->http.request.path;
	const char *mark = path.n ? memchr(path.p, '?', path.n) : NULL;
	struct span query = {mark ? mark + 1 : "", mark ? path.n - (size_t)(mark - path.p) - 1 : 0};
	const char *why;

	if (mark)
		path.n = (size_t)(mark - path.p);
	if (!path.n ||
		!policy_path_normal(path, mark != NULL, query, buf, &ask->http.request.path, &why))
		return CTL_OK;
	ctl_args_complain(name, "the daemon refuses this path (path_ambiguous): %s", why);
	return CTL_FAILED;
}

static enum ctl_exit explain(struct explaining *e, const struct policy_party *caller,
	const struct policy_endpoint *endpoint)
{
	const struct ctl_policy_ask *ask = e->ask;
	const struct policy_request *request = ask->has_http ? &ask->http.request : NULL;
	cleanup(policy_scratch) struct policy_scratch *scratch = policy_scratch_new();
	cleanup(policy_target) struct policy_target *target = policy_target_new(e->set, endpoint);
	cleanup(policy_view) struct policy_view *view =
		target ? policy_view_new(e->set, target, caller) : NULL;
	char cause[400];

	if (!scratch || !view)
		return CTL_FAILED;
	policy_view_judge(e->set, view, ask->proto, ask->port_number, request, scratch, &e->answer);
	policy_cause_text(e->set, &e->answer, cause, sizeof(cause));
	if (policy_explain(e->set, endpoint, caller, ask->proto, ask->port_number, request, scratch,
		    add_rule, e))
		return CTL_FAILED;
	if (e->rules)
		return print_json(e, cause);
	print_text(e, cause);
	return CTL_OK;
}

static enum ctl_exit run(const char *name, const struct ctl_policy_ask *ask)
{
	static const char *const HEADERS[] = {"RULE", "ACTION", "FIT", "WHAT DOES NOT"};
	const struct policy_options options = {.cluster = ask->cluster};
	cleanup(policy_set) struct policy_set *set = NULL;
	cleanup(policy_party) struct policy_party *caller = NULL;
	cleanup(policy_party) struct policy_party *endpoint_party = NULL;
	cleanup(ctl_json) json_t *rules = ask->json ? json_array() : NULL;
	cleanup(ctl_out_table) struct ctl_out_table table = {
		.headers = HEADERS, .n_columns = ARRAY_SIZE(HEADERS)};
	struct policy_address address = {.len = 0};
	struct explaining e = {.ask = ask, .rules = rules, .table = table};
	struct policy_endpoint endpoint = {.named = ask->named, .n_named = ask->n_named};
	enum ctl_exit rc;

	if (ask->src_cidr && policy_address_parse(ask->src_cidr, &address))
		return ctl_args_usage(name, "'%s' is no address", ask->src_cidr);
	rc = ctl_policy_load(name, ask->paths, ask->n_paths, &options, &set);
	if (rc)
		return rc;
	caller = policy_party_new(set, ask->labels, ask->n_labels, &address);
	endpoint_party = policy_party_new(set, ask->dst, ask->n_dst, NULL);
	if (!caller || !endpoint_party || (ask->json && !rules)) {
		ctl_args_complain(name, "out of memory");
		return CTL_FAILED;
	}
	e.set = set;
	endpoint.party = endpoint_party;
	rc = explain(&e, caller, &endpoint);
	table = e.table;
	return rc;
}

enum ctl_exit ctl_policy_explain(int argc, char **argv)
{
	cleanup(free) struct ctl_policy_ask *ask = calloc(1, sizeof(*ask));
	char path[POLICY_INPUT_MAX];
	enum ctl_exit rc;

	if (!ask)
		return CTL_FAILED;
	rc = ctl_policy_ask_parse(argc, argv, ask);
	if (!rc && ask->batch)
		return ctl_policy_batch(argv[0], ask->batch, stdout);
	if (!rc && ask->config)
		rc = ctl_policy_ask_config(argv[0], ask);
	if (!rc)
		rc = normalise(argv[0], ask, path);
	if (!rc)
		rc = run(argv[0], ask);
	ctl_policy_ask_done(ask);
	return rc;
}
