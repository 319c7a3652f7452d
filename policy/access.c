#include "policy/access.h"

#include "policy/model.h"
#include "policy/text.h"

#include <errno.h>
#include <string.h>

#define REQUEST_TEXT 400

static void add_part(struct policy_text *text, const struct policy_set *set, const char *before,
	uint32_t pattern)
{
	if (pattern != POLICY_NONE)
		policy_text_add(
			text, "%s%s%s", text->n ? " " : "", before, set->patterns[pattern].source);
}

/* "GET /api/.* host=shop X-A=1"; "any request" when the rule asks for nothing. */
static void write_rule(
	struct policy_text *text, const struct policy_set *set, const struct policy_http *http)
{
	add_part(text, set, "", http->method);
	add_part(text, set, "", http->path);
	add_part(text, set, "host=", http->host);
	for (size_t i = 0; i < http->n_headers; i++) {
		const struct policy_header *header = &http->headers[i];

		if (!header->log_only)
			policy_text_add(text, "%s%s%s%s", text->n ? " " : "", header->name,
				header->value ? "=" : "", header->value ? header->value : "");
	}
	if (!text->n)
		policy_text_add(text, "any request");
}

static int add_rules(struct policy_access *access, const struct policy_set *set,
	const struct policy_group *group, size_t *room)
{
	for (size_t i = 0; i < group->n_http; i++) {
		char buf[REQUEST_TEXT];
		struct policy_text text = policy_text_start(buf, sizeof(buf));
		char *copy;

		write_rule(&text, set, &group->http[i]);
		if (policy_set_room(&access->requests, access->n_requests, room, sizeof(char *)))
			return -ENOMEM;
		copy = strdup(buf);
		if (!copy)
			return -ENOMEM;
		access->requests[access->n_requests++] = copy;
	}
	return 0;
}

static int add_entries(struct policy_access *access, const struct policy_set *set,
	const struct policy_entry *items, size_t n, uint16_t port, size_t *room)
{
	int err = 0;

	for (size_t i = 0; !err && i < n; i++)
		if (items[i].flags == POLICY_ENTRY_L7 && items[i].first <= port &&
			port <= items[i].last)
			err = add_rules(access, set,
				&set->rules[items[i].rule].groups[items[i].group], room);
	return err;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort(struct policy_access *access)
{
	size_t kept = 0;

	if (access->n_requests)
		qsort(access->requests, access->n_requests, sizeof(char *), by_text);
	for (size_t i = 0; i < access->n_requests; i++) {
		if (kept && !strcmp(access->requests[kept - 1], access->requests[i]))
			free(access->requests[i]);
		else
			access->requests[kept++] = access->requests[i];
	}
	access->n_requests = kept;
}

static bool asks(const struct policy_set *set, const struct policy_answer *answer)
{
	const struct policy_cause *cause = &answer->cause;

	return answer->has_l7 && cause->rule != POLICY_NONE && cause->group != POLICY_NONE &&
	       set->rules[cause->rule].groups[cause->group].n_http;
}

static void cleanup_fn_access(struct policy_access *access)
{
	policy_access_done(access);
}

int policy_access_read(const struct policy_index *index, uint32_t caller, size_t service,
	uint16_t port, struct policy_access *ret_access)
{
	const struct policy_set *set = policy_index_set(index);
	const struct policy_target *target = policy_index_target(index, service);
	cleanup(policy_view) struct policy_view *view =
		policy_view_new(set, target, policy_index_party(index, caller));
	cleanup(access) struct policy_access access = {.kind = POLICY_ACCESS_ALL};
	struct policy_answer answer;
	size_t room = 0;
	int err = view ? 0 : -ENOMEM;

	if (err)
		return err;
	policy_view_judge(set, view, POLICY_PROTO_TCP, port, NULL, NULL, &answer);
	if (answer.verdict != POLICY_ALLOW) {
		access.kind = POLICY_ACCESS_NONE;
	} else if (!answer.audited && asks(set, &answer)) {
		access.kind = POLICY_ACCESS_SOME;
		err = add_entries(
			&access, set, target->anybody.items, target->anybody.n, port, &room);
		if (!err)
			err = add_entries(
				&access, set, view->entries.items, view->entries.n, port, &room);
		sort(&access);
	}
	if (err)
		return err;
	*ret_access = access;
	access = (struct policy_access){0};
	return 0;
}

void policy_access_done(struct policy_access *access)
{
	for (size_t i = 0; i < access->n_requests; i++)
		free(access->requests[i]);
	free(access->requests);
	*access = (struct policy_access){0};
}
