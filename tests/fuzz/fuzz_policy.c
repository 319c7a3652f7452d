/*
 * Any bytes as a policy file: good, or named mistakes on one clean line each;
 * and what is good answers questions without a crash.
 */
#include "tests/fuzz/fuzz.h"

#include "conf/yaml.h"
#include "policy/path.h"
#include "policy/policy.h"

#include <errno.h>

static void check_item(const struct base_diag_item *item)
{
	FUZZ_CHECK(item->text[0]);
	for (const char *p = item->text; *p; p++)
		FUZZ_CHECK((unsigned char)*p >= ' ' && *p != 0x7f);
}

static void ask(const struct policy_set *set, const struct policy_target *target,
	struct policy_scratch *scratch, const char *from, struct span path)
{
	struct policy_party *party = policy_party_of_text(set, span_of(from));
	struct policy_view *view = policy_view_new(set, target, party);
	struct policy_header_field header = {SPAN("X-A"), SPAN("1")};
	struct policy_request request = {SPAN("GET"), SPAN("h"), path, &header, 1};
	struct policy_answer answer;
	char text[64];

	for (unsigned port = 0; port < 65536; port += 80) {
		policy_view_judge(
			set, view, POLICY_PROTO_TCP, (uint16_t)port, &request, scratch, &answer);
		FUZZ_CHECK(policy_cause_text(set, &answer, text, sizeof(text)) < sizeof(text));
		/* Denied at L4 is denied; L7 can only take more away. */
		FUZZ_CHECK(answer.l4 != POLICY_DENY || answer.verdict == POLICY_DENY);
	}
	policy_view_free(view);
	policy_party_free(party);
}

static void judge(const struct policy_set *set, const uint8_t *data, size_t size)
{
	struct policy_party *to = policy_party_of_text(
		set, SPAN("k8s:app=web;k8s:io.kubernetes.pod.namespace=default;"));
	struct policy_endpoint endpoint = {.party = to};
	struct policy_target *target = policy_target_new(set, &endpoint);
	struct policy_scratch *scratch = policy_scratch_new();
	char buf[POLICY_INPUT_MAX];
	struct span path = SPAN("/");
	const char *why;

	(void)!policy_path_normal((struct span){(const char *)data, size > 512 ? 512 : size}, false,
		SPAN(""), buf, &path, &why);
	ask(set, target, scratch, "k8s:role=admin;", path);
	ask(set, target, scratch, "reserved:world;", path);
	policy_scratch_free(scratch);
	policy_target_free(target);
	policy_party_free(to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct conf_yaml_limits LIMITS = {64 * 1024, 512};
	static const struct policy_options OPTIONS = {0};
	struct policy_set *set = policy_set_new(&OPTIONS);
	struct base_doc *docs = NULL;
	struct base_diag diag, notes;

	base_diag_init(&diag, "fuzz");
	base_diag_init(&notes, "fuzz");
	if (conf_yaml_documents((const char *)data, size, &LIMITS, &docs, &diag) == 0)
		for (size_t i = 0; i < docs->n_entries; i++) {
			size_t found = diag.n_found;
			int err =
				policy_set_add(set, "fuzz", docs->entries[i].value, &diag, &notes);

			FUZZ_CHECK(err == (diag.n_found != found ? -EINVAL : 0));
		}
	for (size_t i = 0; i < diag.n_items; i++)
		check_item(&diag.items[i]);
	FUZZ_CHECK(policy_set_ready(set) == 0);
	judge(set, data, size);
	base_doc_free(docs);
	base_diag_done(&diag);
	base_diag_done(&notes);
	policy_set_free(set);
	return 0;
}
