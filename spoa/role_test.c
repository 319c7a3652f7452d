#include "spoa/role_test.h"

#include "spoa/daemon.h"
#include "spoa/explain.h"
#include "token/json.h"

static const struct token_json_caps CAPS = {.depth = TOKEN_JSON_DEPTH + 2, .elements = 1024};

void spoa_role_test(
	void *arg, const struct spoa_http_request *request, struct spoa_http_answer *answer)
{
	const struct spoa_daemon *daemon = arg;
	cleanup(json) json_t *question = token_json_parse(request->body, CAPS);
	cleanup(json) json_t *found = NULL;
	struct base_now now;

	base_clock_now(&now);
	found = spoa_explain(daemon->snapshot, question, &now);
	if (!found)
		return;
	if (json_object_get(found, "error"))
		answer->status = 400;
	answer->body = json_dumps(found, JSON_INDENT(2));
}
