#include "spoa/explain_workload.h"

#include "ident/labels.h"
#include "spoa/request.h"
#include "token/json.h"
#include "token/workload.h"

#include <string.h>

static const char *const BOUND[] = {
	[SPOA_BOUND_NONE] = "none",
	[SPOA_BOUND_MATCH] = "match",
	[SPOA_BOUND_MISMATCH] = "mismatch",
	[SPOA_BOUND_UNKNOWN] = "unknown",
};

const char *spoa_explain_workload(const struct spoa_snapshot *snapshot, const json_t *question,
	const struct ident_request *request, struct spoa_workload *ret)
{
	const json_t *labels = json_object_get(question, "workload");
	struct spoa_request asked = {.vouched = true, .proxied = request->proxied};

	*ret = (struct spoa_workload){.where = SPOA_WHERE_OUTSIDE};
	if (labels) {
		if (!json_is_string(labels) || ident_labels_check(json_string_value(labels)))
			return "workload is not canonical: source:key=value; for each, sorted by "
			       "key";
		ret->where = SPOA_WHERE_KNOWN;
		ret->labels = token_json_text_of(labels);
		return NULL;
	}
	if (!request->has_address)
		return NULL;
	memcpy(asked.src.bytes, request->address, sizeof(request->address));
	asked.src.len = sizeof(request->address);
	*ret = spoa_workload_find(snapshot, &asked);
	return NULL;
}

enum base_reason spoa_explain_bound(const struct spoa_config *config,
	const struct spoa_workload *workload, const struct token_claims *claims, json_t *answer)
{
	unsigned char buf[4 * TOKEN_WORKLOAD_NAME];
	struct wr token = wr_of(buf, sizeof(buf));
	json_t *object = json_pack("{s:s, s:s%, s:I}", "where", spoa_where_name(workload->where),
		"labels", workload->labels.n ? workload->labels.p : "", workload->labels.n,
		"number", (json_int_t)workload->number);
	enum base_reason reason = BASE_REASON_OK;
	enum spoa_bound bound;

	if (!config->workloads.n_ranges) {
		json_decref(object);
		return BASE_REASON_OK;
	}
	token_workload_write(claims->claims, claims->sub, &token);
	if (wr_len(&token)) {
		const struct span text = {(const char *)buf, wr_len(&token)};

		bound = spoa_workload_compare(text, workload);
		reason = workload->where == SPOA_WHERE_UNAVAILABLE
				 ? BASE_REASON_WORKLOAD_UNAVAILABLE
				 : spoa_workload_judge(config->conf, bound);
		json_object_set_new(object, "token", json_stringn(text.p, text.n));
		json_object_set_new(object, "bound", json_string(BOUND[bound]));
	}
	json_object_set_new(answer, "workload", object);
	return reason;
}
