/* Questions in bulk: one JSON object a line, policies and cases in it. */

#include "ctl/args.h"
#include "ctl/out.h"
#include "ctl/policy.h"
#include "policy/load.h"

#include <errno.h>
#include <string.h>

#define LABELS_MAX 64
#define PORTS_MAX  64

struct batch {
	const char *name, *path;
	unsigned long line;
	struct policy_set *set;
	struct policy_scratch *scratch;
	bool wrong; /* something was not as it should be, and was said */
};

static void cleanup_fn_diag(struct base_diag *diag)
{
	base_diag_done(diag);
}

static void complain(struct batch *b, const char *what)
{
	b->wrong = true;
	ctl_args_complain(b->name, "%s:%lu: %s", b->path, b->line, what);
}

/* As Cilium does: a policy that is refused is not there. */
static int add_policy(struct batch *b, size_t i, const json_t *json)
{
	cleanup(base_doc) struct base_doc *doc = policy_load_json(json);
	cleanup(diag) struct base_diag diag = {0};
	cleanup(diag) struct base_diag notes = {0};
	char text[300];
	int err;

	if (!doc)
		return -ENOMEM;
	err = policy_set_add(b->set, b->path, doc, &diag, &notes);
	for (size_t k = 0; err == -EINVAL && k < diag.n_items; k++) {
		snprintf(text, sizeof(text), "policies[%zu] is refused: %s", i, diag.items[k].text);
		complain(b, text);
	}
	return err == -EINVAL ? 0 : err;
}

static size_t read_labels(const json_t *list, struct span labels[LABELS_MAX])
{
	size_t n = json_array_size(list) < LABELS_MAX ? json_array_size(list) : LABELS_MAX;

	for (size_t i = 0; i < n; i++)
		labels[i] = span_of(json_string_value(json_array_get(list, i)));
	return n;
}

static struct policy_party *party_of(const struct batch *b, const json_t *list, const char *address)
{
	struct span labels[LABELS_MAX];
	size_t n = read_labels(list, labels);
	struct policy_address parsed = {.len = 0};

	if (address && policy_address_parse(address, &parsed))
		return NULL;
	return policy_party_new(b->set, labels, n, &parsed);
}

static size_t read_ports(const json_t *map, struct policy_named_port ports[PORTS_MAX])
{
	const char *key;
	json_t *value;
	size_t n = 0;

	json_object_foreach ((json_t *)map, key, value) {
		json_int_t port = json_integer_value(value);

		if (n < PORTS_MAX && port > 0 && port <= 65535)
			ports[n++] = (struct policy_named_port){key, (uint16_t)port};
	}
	return n;
}

int ctl_policy_request_of_json(const json_t *http, struct ctl_policy_request *ret)
{
	const char *key;
	json_t *values;
	size_t n = 0;

	json_object_foreach (json_object_get(http, "headers"), key, values) {
		size_t n_values = json_is_array(values) ? json_array_size(values) : 1;

		for (size_t i = 0; i < n_values; i++) {
			const json_t *value =
				json_is_array(values) ? json_array_get(values, i) : values;

			if (n == CTL_POLICY_HEADERS_MAX || !json_is_string(value))
				return -EINVAL;
			ret->headers[n++] = (struct policy_header_field){
				span_of(key), span_of(json_string_value(value))};
		}
	}
	ret->request = (struct policy_request){
		.method = span_of(json_string_value(json_object_get(http, "method"))),
		.host = span_of(json_string_value(json_object_get(http, "host"))),
		.path = span_of(json_string_value(json_object_get(http, "path"))),
		.headers = ret->headers,
		.n_headers = n,
	};
	return 0;
}

static const char *word_of(enum policy_verdict verdict)
{
	static const char *const WORDS[] = {"allow", "deny", "error"};

	return WORDS[verdict];
}

static int write_answer(json_t *asked, const struct policy_answer *answer, bool has_http)
{
	json_object_del(asked, "l7");
	if (json_object_set_new(asked, "expect", json_string(word_of(answer->verdict))) ||
		json_object_set_new(asked, "l4", json_string(word_of(answer->l4))))
		return -ENOMEM;
	if (answer->has_l7 && has_http &&
		json_object_set_new(asked, "l7", json_string(word_of(answer->l7))))
		return -ENOMEM;
	return 0;
}

/* 0; -EINVAL: not a question; -ENOMEM. */
static int answer_case(struct batch *b, json_t *asked)
{
	const char *proto_word = json_string_value(json_object_get(asked, "proto"));
	int proto = proto_word ? policy_proto_find(proto_word) : POLICY_PROTO_TCP;
	json_int_t port = json_integer_value(json_object_get(asked, "port"));
	const json_t *http = json_object_get(asked, "http");
	struct policy_named_port named[PORTS_MAX];
	struct policy_endpoint endpoint = {.named = named,
		.n_named = read_ports(json_object_get(asked, "named_ports"), named)};
	cleanup(policy_party) struct policy_party *src = party_of(b, json_object_get(asked, "src"),
		json_string_value(json_object_get(asked, "src_cidr")));
	cleanup(policy_party) struct policy_party *dst =
		party_of(b, json_object_get(asked, "dst"), NULL);
	cleanup(policy_target) struct policy_target *target = NULL;
	cleanup(policy_view) struct policy_view *view = NULL;
	struct ctl_policy_request request;
	struct policy_answer answer;

	if (!src || !dst || proto < 0 || port < 0 || port > 65535 ||
		(http && ctl_policy_request_of_json(http, &request)))
		return -EINVAL;
	endpoint.party = dst;
	target = policy_target_new(b->set, &endpoint);
	view = target ? policy_view_new(b->set, target, src) : NULL;
	if (!view)
		return -ENOMEM;
	policy_view_judge(b->set, view, (enum policy_proto)proto, (uint16_t)port,
		http ? &request.request : NULL, b->scratch, &answer);
	return write_answer(asked, &answer, http != NULL);
}

static int answer_cases(struct batch *b, json_t *root)
{
	json_t *cases = json_object_get(root, "cases");
	int err = policy_set_ready(b->set);

	for (size_t i = 0; !err && i < json_array_size(cases); i++) {
		json_t *asked = json_array_get(cases, i);
		char text[80];

		err = answer_case(b, asked);
		if (err != -EINVAL)
			continue;
		snprintf(text, sizeof(text), "cases[%zu] is not a question", i);
		complain(b, text);
		json_object_set_new(asked, "error", json_string("not a question"));
		err = 0;
	}
	return err;
}

static int answer_root(struct batch *b, json_t *root)
{
	static const struct policy_options OPTIONS = {.judge_only = true};
	cleanup(policy_set) struct policy_set *set = policy_set_new(&OPTIONS);
	const json_t *policies = json_object_get(root, "policies");
	int err = set ? 0 : -ENOMEM;

	b->set = set;
	for (size_t i = 0; !err && i < json_array_size(policies); i++)
		err = add_policy(b, i, json_array_get(policies, i));
	return err ? err : answer_cases(b, root);
}

static int answer_line(struct batch *b, const char *text, size_t n, FILE *to)
{
	json_error_t why;
	cleanup(ctl_json) json_t *root = json_loadb(text, n, 0, &why);
	int err;

	if (!json_is_object(root)) {
		complain(b, root ? "not an object" : why.text);
		return 0;
	}
	err = answer_root(b, root);
	if (err)
		return err;
	if (json_dumpf(root, to, JSON_COMPACT) || fputc('\n', to) == EOF)
		return -EIO;
	return 0;
}

static void cleanup_fn_file(FILE **file)
{
	if (*file && *file != stdin)
		fclose(*file);
}

enum ctl_exit ctl_policy_batch(const char *name, const char *path, FILE *to)
{
	cleanup(policy_scratch) struct policy_scratch *scratch = policy_scratch_new();
	cleanup(file) FILE *from = strcmp(path, "-") ? fopen(path, "re") : stdin;
	struct batch b = {.name = name, .path = path, .scratch = scratch};
	cleanup(free) char *line = NULL;
	size_t size = 0;
	ssize_t n;
	int err = scratch ? 0 : -ENOMEM;

	if (!from) {
		ctl_args_complain(name, "%s: %s", path, strerror(errno));
		return CTL_FAILED;
	}
	while (!err && (n = getline(&line, &size, from)) >= 0) {
		b.line++;
		if (strspn(line, " \t\r\n") < (size_t)n)
			err = answer_line(&b, line, (size_t)n, to);
	}
	if (err)
		ctl_args_complain(name, "%s", strerror(-err));
	else if (!b.line)
		ctl_args_complain(name, "%s: there is nothing in this file", path);
	return err || b.wrong || !b.line ? CTL_FAILED : CTL_OK;
}
