#include "tests/unit/policy/help.h"

#include "conf/yaml.h"

#include <check.h>
#include <errno.h>
#include <string.h>

int help_add(
	struct policy_set *set, const char *yaml, struct base_diag *diag, struct base_diag *notes)
{
	const struct conf_yaml_limits limits = {1u << 20, 4096};
	struct base_doc *docs = NULL;
	int worst = 0;

	ck_assert_int_eq(conf_yaml_documents(yaml, strlen(yaml), &limits, &docs, diag), 0);
	for (size_t i = 0; i < docs->n_entries; i++) {
		int err = policy_set_add(set, "f", docs->entries[i].value, diag, notes);

		worst = err ? err : worst;
	}
	base_doc_free(docs);
	return worst;
}

struct policy_set *help_set(const char *yaml, const struct policy_options *options)
{
	static const struct policy_options NONE = {0};
	struct policy_set *set = policy_set_new(options ? options : &NONE);
	struct base_diag diag, notes;

	base_diag_init(&diag, "f");
	base_diag_init(&notes, "f");
	ck_assert_ptr_nonnull(set);
	ck_assert_msg(help_add(set, yaml, &diag, &notes) == 0, "%s",
		diag.n_items ? diag.items[0].text : "");
	ck_assert_int_eq(policy_set_ready(set), 0);
	base_diag_done(&diag);
	base_diag_done(&notes);
	return set;
}

struct policy_answer help_ask(const struct policy_set *set, const char *from, const char *to,
	uint16_t port, const char *method, const char *path)
{
	struct policy_party *src = policy_party_of_text(set, span_of(from));
	struct policy_party *dst = policy_party_of_text(set, span_of(to));
	struct policy_endpoint endpoint = {.party = dst};
	struct policy_target *target = policy_target_new(set, &endpoint);
	struct policy_view *view = policy_view_new(set, target, src);
	struct policy_scratch *scratch = policy_scratch_new();
	struct policy_request request = {
		.method = span_of(method), .path = span_of(path), .host = SPAN("h")};
	struct policy_answer answer;

	policy_view_judge(
		set, view, POLICY_PROTO_TCP, port, method ? &request : NULL, scratch, &answer);
	policy_scratch_free(scratch);
	policy_view_free(view);
	policy_target_free(target);
	policy_party_free(src);
	policy_party_free(dst);
	return answer;
}

const char *help_cause(const struct policy_set *set, const struct policy_answer *answer)
{
	static char text[300];

	policy_cause_text(set, answer, text, sizeof(text));
	return text;
}
