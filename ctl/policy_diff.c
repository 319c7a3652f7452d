#include "ctl/args.h"
#include "ctl/out.h"
#include "ctl/policy.h"
#include "ctl/policy_index.h"
#include "policy/access.h"

#include <getopt.h>
#include <string.h>

static const struct option OPTIONS[] = {
	{"config", required_argument, NULL, 'c'},
	{"output", required_argument, NULL, 'o'},
	{0},
};

/* The comparison, and what was found so far. */
struct diff {
	const struct conf *conf;
	struct policy_index *before, *after;
	struct ctl_out_table table;
	json_t *changes; /* with -o json */
	size_t n;
	bool bad;
};

/* Where a change is: whose, and to what. */
struct place {
	const char *identity, *service;
	uint16_t port;
};

static void add_change(struct diff *d, const struct place *at, const char *change, const char *what)
{
	char target[200];

	d->n++;
	if (d->changes) {
		json_t *row =
			json_pack("{s:s, s:s, s:i, s:s, s:s}", "identity", at->identity, "service",
				at->service, "port", (int)at->port, "change", change, "what", what);

		d->bad = d->bad || !row || json_array_append_new(d->changes, row);
		return;
	}
	snprintf(target, sizeof(target), "%s:%u", at->service, at->port);
	ctl_out_cell(&d->table, at->identity);
	ctl_out_cell(&d->table, target);
	ctl_out_cell(&d->table, change);
	ctl_out_cell(&d->table, what);
}

/* Both lists are sorted; those of "none" and "all" are empty. */
static void compare_requests(struct diff *d, const struct place *at,
	const struct policy_access *before, const struct policy_access *after)
{
	size_t b = 0, a = 0;

	while (b < before->n_requests || a < after->n_requests) {
		int order = b == before->n_requests ? 1
			    : a == after->n_requests
				    ? -1
				    : strcmp(before->requests[b], after->requests[a]);

		if (order < 0)
			add_change(d, at, "loses", before->requests[b]);
		if (order > 0)
			add_change(d, at, before->kind == POLICY_ACCESS_ALL ? "keeps" : "gains",
				after->requests[a]);
		b += order <= 0;
		a += order >= 0;
	}
}

static void compare(struct diff *d, const struct place *at, const struct policy_access *before,
	const struct policy_access *after)
{
	if (after->kind == POLICY_ACCESS_ALL) {
		if (before->kind != POLICY_ACCESS_ALL)
			add_change(d, at, "gains", "everything");
		return;
	}
	if (before->kind == POLICY_ACCESS_ALL)
		add_change(d, at, "loses", "everything");
	compare_requests(d, at, before, after);
}

static enum ctl_exit compare_port(struct diff *d, size_t role, size_t service, uint16_t port)
{
	const struct place at = {
		d->conf->roles[role].name, policy_index_service_name(d->after, service), port};
	struct policy_access before = {0}, after = {0};
	int err = policy_access_read(d->before, (uint32_t)role, service, port, &before);

	if (!err)
		err = policy_access_read(d->after, (uint32_t)role, service, port, &after);
	if (!err)
		compare(d, &at, &before, &after);
	policy_access_done(&before);
	policy_access_done(&after);
	return err || d->bad ? CTL_FAILED : CTL_OK;
}

static enum ctl_exit compare_all(struct diff *d)
{
	enum ctl_exit rc = CTL_OK;

	for (size_t r = 0; r < d->conf->n_roles; r++)
		for (size_t s = 0; s < policy_index_services(d->after); s++) {
			const uint16_t *ports;
			size_t n = policy_index_ports(d->after, s, &ports);

			for (size_t p = 0; !rc && p < n; p++)
				rc = compare_port(d, r, s, ports[p]);
		}
	return rc;
}

static void print(const struct diff *d)
{
	if (d->changes) {
		json_dumpf(d->changes, stdout, JSON_INDENT(2));
		putchar('\n');
	} else if (d->n) {
		ctl_out_table_print(&d->table, stdout);
	} else {
		ctl_out_line(stdout, "no identity gains or loses anything");
	}
}

static enum ctl_exit run(
	const char *name, const char *config, const char *const paths[2], bool as_json)
{
	static const char *const HEADERS[] = {"IDENTITY", "SERVICE", "CHANGE", "WHAT"};
	cleanup(conf) struct conf *conf = NULL;
	cleanup(policy_index) struct policy_index *before = NULL;
	cleanup(policy_index) struct policy_index *after = NULL;
	cleanup(ctl_json) json_t *changes = as_json ? json_array() : NULL;
	struct diff d = {.table = {.headers = HEADERS, .n_columns = ARRAY_SIZE(HEADERS)},
		.changes = changes};
	enum ctl_exit rc = ctl_policy_conf(name, config, &conf);

	if (!rc)
		rc = ctl_policy_index(name, conf, &paths[0], 1, &before);
	if (!rc)
		rc = ctl_policy_index(name, conf, &paths[1], 1, &after);
	if (rc)
		return rc;
	d.conf = conf;
	d.before = before;
	d.after = after;
	rc = compare_all(&d);
	if (!rc)
		print(&d);
	ctl_out_table_done(&d.table);
	return rc ? rc : d.n ? CTL_FAILED : CTL_OK;
}

enum ctl_exit ctl_policy_diff(int argc, char **argv)
{
	const char *config = NULL;
	bool as_json = false;
	int c;

	while ((c = getopt_long(argc, argv, "c:o:", OPTIONS, NULL)) >= 0) {
		if (c == 'c')
			config = optarg;
		else if (c == 'o' && (!strcmp(optarg, "json") || !strcmp(optarg, "text")))
			as_json = optarg[0] == 'j';
		else
			return ctl_args_usage(argv[0], "wrong options");
	}
	if (!config)
		return ctl_args_usage(argv[0], "--config is needed: it has services and roles");
	if (argc - optind != 2)
		return ctl_args_usage(argv[0], "two files or folders are needed: OLD and NEW");
	return run(argv[0], config, (const char *const *)argv + optind, as_json);
}
