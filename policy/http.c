#include "policy/rule.h"

#include <errno.h>
#include <string.h>

#define HEADERS_MAX 64 /* of one HTTP rule */

/* An HTTP rule on its way. */
struct draft {
	struct policy_http *http;
	struct policy_header headers[HEADERS_MAX];
	size_t n_headers;
};

static uint32_t hash_of(const char *text)
{
	uint32_t hash = 2166136261u;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619u;
	return hash;
}

static uint32_t *pattern_slot(const struct policy_set *set, const char *text)
{
	size_t mask = set->n_pattern_slots - 1;
	size_t at = hash_of(text) & mask;

	while (set->pattern_slots[at] &&
		strcmp(set->patterns[set->pattern_slots[at] - 1].source, text))
		at = (at + 1) & mask;
	return &set->pattern_slots[at];
}

static int grow_patterns(struct policy_set *set)
{
	size_t n_slots = set->n_pattern_slots ? set->n_pattern_slots * 2 : 64;
	uint32_t *slots;

	if (set->n_patterns * 2 < set->n_pattern_slots)
		return 0;
	slots = calloc(n_slots, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	free(set->pattern_slots);
	set->pattern_slots = slots;
	set->n_pattern_slots = n_slots;
	for (size_t i = 0; i < set->n_patterns; i++)
		*pattern_slot(set, set->patterns[i].source) = (uint32_t)i + 1;
	return 0;
}

/* One pattern for each text of the set: rules repeat "GET" a thousand times. */
static int read_pattern(struct policy_reader *r, const struct policy_at *at, uint32_t *ret_pattern)
{
	struct policy_set *set = r->set;
	const char *text = policy_text(r, at);
	char why[160] = "", *copy;
	uint32_t *slot;
	int err;

	if (!text || !text[0])
		return 0; /* an empty one matches anything, as in Cilium */
	if (grow_patterns(set) || policy_set_room(&set->patterns, set->n_patterns,
					  &set->room_patterns, sizeof(*set->patterns)))
		return -ENOMEM;
	slot = pattern_slot(set, text);
	if (!*slot) {
		copy = policy_arena_text(&set->arena, text, strlen(text));
		if (!copy)
			return -ENOMEM;
		err = policy_pattern_init(&set->patterns[set->n_patterns], copy, why);
		if (err)
			return err == -EINVAL ? policy_complain(r, at, "%s", why) : err;
		*slot = (uint32_t)++set->n_patterns;
	}
	*ret_pattern = *slot - 1;
	return 0;
}

static int read_method(struct policy_reader *r, const struct policy_at *at, void *out)
{
	return read_pattern(r, at, &((struct draft *)out)->http->method);
}

static int read_path(struct policy_reader *r, const struct policy_at *at, void *out)
{
	return read_pattern(r, at, &((struct draft *)out)->http->path);
}

static int read_host(struct policy_reader *r, const struct policy_at *at, void *out)
{
	return read_pattern(r, at, &((struct draft *)out)->http->host);
}

/* RFC 9110 5.6.2: a token. */
static bool is_header_name(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (text[i] <= ' ' || text[i] == 0x7f || strchr("\"(),/:;<=>?@[\\]{}", text[i]))
			return false;
	return n > 0;
}

static int add_header(struct policy_reader *r, const struct policy_at *at, struct draft *draft,
	struct span name, const char *value)
{
	struct policy_header *header = &draft->headers[draft->n_headers];
	struct policy_arena *arena = &r->set->arena;

	if (!is_header_name(name.p, name.n))
		return policy_complain(r, at, "this cannot be the name of a header");
	if (draft->n_headers == HEADERS_MAX)
		return policy_complain(r, at, "more than %d headers in one rule", HEADERS_MAX);
	*header = (struct policy_header){.name = policy_arena_text(arena, name.p, name.n)};
	if (value) {
		header->n_value = strlen(value);
		header->value = policy_arena_text(arena, value, header->n_value);
	}
	if (!header->name || (value && !header->value))
		return -ENOMEM;
	draft->n_headers++;
	r->set->needs_headers = true;
	return 0;
}

/* "Name: value" must be equal, "Name" must be there (cilium envoy_l7_rules_translator.go). */
static int read_header(
	struct policy_reader *r, const struct policy_at *at, const char *text, void *out)
{
	const char *blank = strchr(text, ' ');
	struct span name = {text, blank ? (size_t)(blank - text) : strlen(text)};

	while (blank && name.n && name.p[name.n - 1] == ':')
		name.n--;
	return add_header(r, at, out, name, blank ? blank + 1 : NULL);
}

static int read_headers(struct policy_reader *r, const struct policy_at *at, void *out)
{
	return policy_texts(r, at, read_header, out);
}

struct header_match {
	const char *name, *value, *mismatch;
};

static int read_match_name(struct policy_reader *r, const struct policy_at *at, void *out)
{
	((struct header_match *)out)->name = policy_text(r, at);
	return 0;
}

static int read_match_value(struct policy_reader *r, const struct policy_at *at, void *out)
{
	((struct header_match *)out)->value = policy_text(r, at);
	return 0;
}

/* LOG lets the rule hold all the same. The others would have HAProxy change the request. */
static int read_mismatch(struct policy_reader *r, const struct policy_at *at, void *out)
{
	static const char *const CHANGES[] = {"ADD", "DELETE", "REPLACE"};
	struct header_match *match = out;
	const char *text = policy_text(r, at);

	match->mismatch = text && text[0] ? text : NULL;
	for (size_t i = 0; match->mismatch && i < ARRAY_SIZE(CHANGES); i++)
		if (!strcmp(CHANGES[i], text))
			return r->set->options.judge_only
				       ? 0
				       : policy_complain(r, at,
						 "not supported: %s would change the request",
						 text);
	if (match->mismatch && strcmp(text, "LOG"))
		policy_complain(r, at, "must be LOG, ADD, DELETE or REPLACE");
	return 0;
}

static const struct policy_field HEADER_MATCH[] = {
	{"name", read_match_name, NULL},
	{"value", read_match_value, NULL},
	{"mismatch", read_mismatch, NULL},
	{"secret", NULL, "Kubernetes secrets are not read"},
};

static int read_header_matches(struct policy_reader *r, const struct policy_at *at, void *out)
{
	struct draft *draft = out;
	int err = 0;

	if (!policy_is_list(r, at))
		return 0;
	for (size_t i = 0; !err && i < at->doc->n_entries; i++) {
		const struct policy_at there = policy_entry_of(at, i);
		struct header_match match = {0};
		size_t n = draft->n_headers;

		err = policy_fields(r, &there, HEADER_MATCH, ARRAY_SIZE(HEADER_MATCH), &match);
		if (err)
			return err;
		if (!match.name) {
			policy_complain(r, &there, "needs 'name'");
			continue;
		}
		err = add_header(r, &there, draft, span_of(match.name),
			match.value && match.value[0] ? match.value : NULL);
		if (!err && draft->n_headers > n)
			draft->headers[n].log_only = match.mismatch != NULL;
	}
	return err;
}

static const struct policy_field HTTP[] = {
	{"path", read_path, NULL},
	{"method", read_method, NULL},
	{"host", read_host, NULL},
	{"headers", read_headers, NULL},
	{"headerMatches", read_header_matches, NULL},
};

static int read_rule(struct policy_reader *r, const struct policy_at *at, struct policy_http *http)
{
	struct draft draft = {.http = http};
	struct policy_header *headers;
	int err;

	*http = (struct policy_http){
		.method = POLICY_NONE, .path = POLICY_NONE, .host = POLICY_NONE};
	err = policy_fields(r, at, HTTP, ARRAY_SIZE(HTTP), &draft);
	if (err || !draft.n_headers)
		return err;
	headers = policy_arena_get(&r->set->arena, draft.n_headers, sizeof(*headers));
	if (!headers)
		return -ENOMEM;
	memcpy(headers, draft.headers, draft.n_headers * sizeof(*headers));
	http->headers = headers;
	http->n_headers = draft.n_headers;
	return 0;
}

int policy_http_read(struct policy_reader *r, const struct policy_at *at, void *out)
{
	struct policy_group *group = out;
	struct policy_http *http;
	size_t n = at->doc->n_entries;
	int err = 0;

	if (!policy_is_list(r, at))
		return 0;
	if (!n)
		return policy_complain(
			r, at, "an empty list says nothing; [{}] allows every request");
	http = policy_arena_get(&r->set->arena, n, sizeof(*http));
	if (!http)
		return -ENOMEM;
	for (size_t i = 0; !err && i < n; i++) {
		const struct policy_at there = policy_entry_of(at, i);

		err = read_rule(r, &there, &http[i]);
		group->has_headers = group->has_headers || http[i].n_headers;
	}
	group->http = http;
	group->n_http = n;
	return err;
}
