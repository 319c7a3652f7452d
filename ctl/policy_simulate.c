/* Recorded decisions, judged again by other policies: what would change? */

#include "ctl/args.h"
#include "ctl/out.h"
#include "ctl/policy.h"
#include "ctl/policy_index.h"
#include "policy/path.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

#define LABELS_MAX  64
#define CHANGES_MAX 1000 /* different ones that are told apart */
#define REDACTED    "HUBBLE_REDACTED"

static const struct option OPTIONS[] = {
	{"config", required_argument, NULL, 'c'},
	{"audit-log", required_argument, NULL, 'a'},
	{"output", required_argument, NULL, 'o'},
	{0},
};

struct simulation {
	const struct policy_index *index;
	struct policy_scratch *scratch;
	json_t *changes; /* {key: row} */
	size_t replayed, skipped, changed, uncertain;
	bool bad;
};

/* One recorded decision. Texts are borrowed from its line. */
struct record {
	const json_t *flow;
	enum policy_verdict verdict;
	const char *service;
	struct span method, host, path, query;
	bool has_query;
};

static const json_t *at(const json_t *json, const char *a, const char *b)
{
	return json_object_get(json_object_get(json, a), b);
}

/* The value of a header that the daemon adds to what Hubble has fields for. */
static const char *header_of(const json_t *flow, const char *name)
{
	const json_t *headers = json_object_get(at(flow, "l7", "http"), "headers");

	for (size_t i = 0; i < json_array_size(headers); i++) {
		const json_t *header = json_array_get(headers, i);
		const char *key = json_string_value(json_object_get(header, "key"));

		if (key && !strcmp(key, name))
			return json_string_value(json_object_get(header, "value"));
	}
	return NULL;
}

/* What policies said then; false: they were not asked. */
static bool read_verdict(struct record *record)
{
	const char *verdict = json_string_value(json_object_get(record->flow, "verdict"));
	const char *reason = header_of(record->flow, "X-Identityd-Reason");

	if (!verdict)
		return false;
	if (!strcmp(verdict, "FORWARDED") || !strcmp(verdict, "REDIRECTED")) {
		record->verdict = POLICY_ALLOW;
		return true;
	}
	record->verdict = POLICY_DENY;
	if (!strcmp(verdict, "AUDIT"))
		return true;
	return !strcmp(verdict, "DROPPED") &&
	       (!reason || !strcmp(reason, "policy_denied") || !strcmp(reason, "path_ambiguous"));
}

/* "https://host/path?query" apart. */
static void read_url(struct record *record)
{
	const char *url = json_string_value(json_object_get(at(record->flow, "l7", "http"), "url"));
	const char *start = url ? strstr(url, "://") : NULL;
	const char *path, *query;

	if (!url)
		return;
	start = start ? start + 3 : url;
	path = start + strcspn(start, "/?");
	query = strchr(path, '?');
	record->host = (struct span){start, (size_t)(path - start)};
	record->path = (struct span){path, query ? (size_t)(query - path) : strlen(path)};
	record->has_query = query != NULL;
	record->query = query ? span_of(query + 1) : SPAN("");
}

static bool read_record(const json_t *line, struct record *record)
{
	*record = (struct record){.flow = json_object_get(line, "flow")};
	if (!json_array_size(at(record->flow, "source", "labels")) || !read_verdict(record))
		return false;
	record->service = header_of(record->flow, "X-Identityd-Route");
	if (!record->service)
		record->service =
			json_string_value(at(record->flow, "destination_service", "name"));
	record->method = span_of(
		json_string_value(json_object_get(at(record->flow, "l7", "http"), "method")));
	read_url(record);
	return true;
}

static struct policy_party *party_of(const struct policy_set *set, const json_t *labels)
{
	struct span texts[LABELS_MAX];
	size_t n = json_array_size(labels) < LABELS_MAX ? json_array_size(labels) : LABELS_MAX;

	for (size_t i = 0; i < n; i++)
		texts[i] = span_of(json_string_value(json_array_get(labels, i)));
	return policy_party_new(set, texts, n, NULL);
}

/* Who, what, and the port: by the service's name, else by the labels that were recorded. */
struct asked {
	struct policy_party *caller, *endpoint;
	struct policy_target *target;
	struct policy_view *view;
	uint16_t port;
};

static void cleanup_fn_asked(struct asked *asked)
{
	policy_view_free(asked->view);
	policy_target_free(asked->target);
	policy_party_free(asked->endpoint);
	policy_party_free(asked->caller);
}

/* 0; -ENOENT: no such service; -ENOMEM. */
static int prepare(const struct simulation *s, const struct record *record, struct asked *asked)
{
	const struct policy_set *set = policy_index_set(s->index);
	int service = record->service ? policy_index_find(s->index, span_of(record->service)) : -1;
	const json_t *labels = at(record->flow, "destination", "labels");
	json_int_t port = json_integer_value(json_object_get(
		json_object_get(json_object_get(record->flow, "l4"), "TCP"), "destination_port"));
	struct policy_endpoint endpoint = {.n_named = 0};

	if (service < 0 && (!json_array_size(labels) || port < 1 || port > 65535))
		return -ENOENT;
	asked->caller = party_of(set, at(record->flow, "source", "labels"));
	asked->endpoint = service < 0 ? party_of(set, labels) : NULL;
	asked->port = service < 0 ? (uint16_t)port : policy_index_port(s->index, (size_t)service);
	endpoint.party = asked->endpoint;
	if (service < 0 && asked->endpoint)
		asked->target = policy_target_new(set, &endpoint);
	asked->view = !asked->caller  ? NULL
		      : service >= 0  ? policy_index_view(s->index, (size_t)service, asked->caller)
		      : asked->target ? policy_view_new(set, asked->target, asked->caller)
				      : NULL;
	return asked->view ? 0 : -ENOMEM;
}

/* As the daemon does: the request only where rules look at it. */
static void judge(const struct simulation *s, const struct record *record,
	const struct asked *asked, struct policy_answer *answer)
{
	const struct policy_set *set = policy_index_set(s->index);
	struct policy_request request = {.method = record->method, .host = record->host};
	char buf[POLICY_INPUT_MAX];
	const char *why;

	policy_view_judge(
		set, asked->view, POLICY_PROTO_TCP, asked->port, NULL, s->scratch, answer);
	if (answer->verdict != POLICY_ALLOW || !answer->has_l7 || !record->method.n)
		return;
	if (policy_path_normal(
		    record->path, record->has_query, record->query, buf, &request.path, &why)) {
		answer->verdict = POLICY_DENY;
		return;
	}
	policy_view_judge(
		set, asked->view, POLICY_PROTO_TCP, asked->port, &request, s->scratch, answer);
}

/* What the log does not have, rules may have wanted. */
static bool is_uncertain(
	const struct simulation *s, const struct record *record, const struct policy_answer *answer)
{
	return answer->has_l7 && (policy_set_needs_headers(policy_index_set(s->index)) ||
					 span_is(record->query, REDACTED));
}

static const char *word_of(enum policy_verdict verdict)
{
	static const char *const WORDS[] = {"allow", "deny", "error"};

	return WORDS[verdict];
}

static void add_change(struct simulation *s, const struct record *record,
	const struct policy_answer *answer, bool uncertain)
{
	const char *role = header_of(record->flow, "X-Identityd-Role");
	char identity[80], request[300], change[40], cause[300], key[900];
	json_t *row;

	snprintf(identity, sizeof(identity), "%s", role ? role : "");
	if (!role)
		snprintf(identity, sizeof(identity), "%" JSON_INTEGER_FORMAT,
			json_integer_value(at(record->flow, "source", "identity")));
	snprintf(request, sizeof(request), "%.*s %.*s", SPAN_ARG(record->method),
		(int)(record->path.n < 200 ? record->path.n : 200),
		record->path.p ? record->path.p : "");
	snprintf(change, sizeof(change), "%s -> %s%s", word_of(record->verdict),
		word_of(answer->verdict), uncertain ? " ?" : "");
	policy_cause_text(policy_index_set(s->index), answer, cause, sizeof(cause));
	snprintf(key, sizeof(key), "%s\n%.120s\n%s\n%s\n%s", identity,
		record->service ? record->service : "", request, change, cause);
	row = json_object_get(s->changes, key);
	if (row) {
		json_int_t n = json_integer_value(json_object_get(row, "count"));

		json_object_set_new(row, "count", json_integer(n + 1));
	} else if (json_object_size(s->changes) < CHANGES_MAX) {
		row = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s}", "count", 1, "identity", identity,
			"service", record->service ? record->service : "", "request", request,
			"change", change, "decided_by", cause);
		s->bad = s->bad || !row || json_object_set_new(s->changes, key, row);
	}
}

/* 0 or -ENOMEM. */
static int replay(struct simulation *s, const json_t *line)
{
	cleanup(asked) struct asked asked = {0};
	struct record record;
	struct policy_answer answer;
	bool uncertain;
	int err;

	if (!read_record(line, &record)) {
		s->skipped++;
		return 0;
	}
	err = prepare(s, &record, &asked);
	if (err == -ENOENT)
		s->skipped++;
	if (err)
		return err == -ENOENT ? 0 : err;
	judge(s, &record, &asked, &answer);
	uncertain = is_uncertain(s, &record, &answer);
	s->replayed++;
	s->uncertain += uncertain;
	if (answer.verdict == record.verdict)
		return 0;
	s->changed++;
	add_change(s, &record, &answer, uncertain);
	return 0;
}

static void cleanup_fn_file(FILE **file)
{
	if (*file && *file != stdin)
		fclose(*file);
}

static int replay_file(struct simulation *s, const char *name, const char *path)
{
	cleanup(file) FILE *from = strcmp(path, "-") ? fopen(path, "re") : stdin;
	cleanup(free) char *text = NULL;
	size_t size = 0;
	ssize_t n;
	int err = 0;

	if (!from) {
		ctl_args_complain(name, "%s: %s", path, strerror(errno));
		return -errno;
	}
	while (!err && (n = getline(&text, &size, from)) >= 0) {
		cleanup(ctl_json) json_t *line = json_loadb(text, (size_t)n, 0, NULL);

		if (line)
			err = replay(s, line);
		else
			s->skipped++;
	}
	return s->bad ? -ENOMEM : err;
}

static void print_text(const struct simulation *s)
{
	static const char *const HEADERS[] = {
		"COUNT", "IDENTITY", "SERVICE", "REQUEST", "CHANGE", "DECIDED BY"};
	static const char *const FIELDS[] = {
		"count", "identity", "service", "request", "change", "decided_by"};
	cleanup(ctl_out_table) struct ctl_out_table table = {
		.headers = HEADERS, .n_columns = ARRAY_SIZE(HEADERS)};
	const char *key;
	json_t *row;

	json_object_foreach (s->changes, key, row)
		for (size_t i = 0; i < ARRAY_SIZE(FIELDS); i++) {
			const json_t *field = json_object_get(row, FIELDS[i]);
			char count[24];

			snprintf(count, sizeof(count), "%" JSON_INTEGER_FORMAT,
				json_integer_value(field));
			ctl_out_cell(&table, i ? json_string_value(field) : count);
		}
	ctl_out_line(stdout,
		"%zu decisions judged again, %zu would change, %zu uncertain (a '?': headers or "
		"queries are not in the log), %zu lines without a policy's verdict",
		s->replayed, s->changed, s->uncertain, s->skipped);
	ctl_out_table_print(&table, stdout);
}

static enum ctl_exit print_json(const struct simulation *s)
{
	cleanup(ctl_json) json_t *root = json_pack("{s:I, s:I, s:I, s:I, s:[]}", "replayed",
		(json_int_t)s->replayed, "changed", (json_int_t)s->changed, "uncertain",
		(json_int_t)s->uncertain, "skipped", (json_int_t)s->skipped, "changes");
	const char *key;
	json_t *row;

	json_object_foreach (s->changes, key, row)
		if (json_array_append(json_object_get(root, "changes"), row))
			return CTL_FAILED;
	if (!root || json_dumpf(root, stdout, JSON_INDENT(2)))
		return CTL_FAILED;
	putchar('\n');
	return CTL_OK;
}

static enum ctl_exit run(const char *name, const char *config, const char *log,
	const char *const *paths, size_t n_paths, bool as_json)
{
	cleanup(conf) struct conf *conf = NULL;
	cleanup(policy_index) struct policy_index *index = NULL;
	cleanup(policy_scratch) struct policy_scratch *scratch = policy_scratch_new();
	cleanup(ctl_json) json_t *changes = json_object();
	struct simulation s = {.scratch = scratch, .changes = changes};
	enum ctl_exit rc = ctl_policy_conf(name, config, &conf);

	if (!rc)
		rc = ctl_policy_index(name, conf, paths, n_paths, &index);
	if (rc)
		return rc;
	s.index = index;
	if (!scratch || !changes || replay_file(&s, name, log))
		return CTL_FAILED;
	if (as_json)
		rc = print_json(&s);
	else
		print_text(&s);
	return rc ? rc : s.changed ? CTL_FAILED : CTL_OK;
}

enum ctl_exit ctl_policy_simulate(int argc, char **argv)
{
	const char *config = NULL, *log = NULL;
	bool as_json = false;
	int c;

	while ((c = getopt_long(argc, argv, "c:a:o:", OPTIONS, NULL)) >= 0) {
		if (c == 'c')
			config = optarg;
		else if (c == 'a')
			log = optarg;
		else if (c == 'o' && (!strcmp(optarg, "json") || !strcmp(optarg, "text")))
			as_json = optarg[0] == 'j';
		else
			return ctl_args_usage(argv[0], "wrong options");
	}
	if (!config || !log)
		return ctl_args_usage(argv[0], "--config and --audit-log are needed");
	if (optind == argc)
		return ctl_args_usage(argv[0], "the new policies are needed: files or folders");
	return run(argv[0], config, log, (const char *const *)argv + optind,
		(size_t)(argc - optind), as_json);
}
