/* Revocations over the admin socket: what `identityctl revoke` asks. */
#include "spoa/routes.h"

#include "spoa/daemon.h"
#include "spoa/log.h"
#include "token/json.h"

#include <errno.h>
#include <stdio.h>

static const struct token_json_caps CAPS = {.depth = 2, .elements = 32};

/* A text of the request; one that is there and no proper text makes it bad. */
static struct span read_text(const json_t *body, const char *name, bool *bad)
{
	struct span text = token_json_text(body, name, TOKEN_TEXT_MAX);

	if (json_object_get(body, name) && !text.n)
		*bad = true;
	return text;
}

static int64_t read_time(const json_t *body, const char *name, int64_t otherwise, bool *bad)
{
	const json_t *value = json_object_get(body, name);

	if (!value)
		return otherwise;
	if (!json_is_integer(value) || json_integer_value(value) <= 0)
		*bad = true;
	return json_integer_value(value);
}

static bool has_only_known(json_t *body)
{
	static const char *const KNOWN[] = {
		"iss", "sub", "sid", "jti", "client", "issued_before", "expires"};
	const char *name;
	json_t *value;

	json_object_foreach (body, name, value) {
		bool known = false;

		for (size_t i = 0; i < ARRAY_SIZE(KNOWN); i++)
			known |= !strcmp(name, KNOWN[i]);
		if (!known)
			return false;
	}
	return json_is_object(body);
}

static bool read_entry(
	json_t *body, const struct conf *conf, int64_t now_s, struct store_revocation *ret_entry)
{
	bool bad = !has_only_known(body);

	*ret_entry = (struct store_revocation){
		.iss = read_text(body, "iss", &bad),
		.sub = read_text(body, "sub", &bad),
		.sid = read_text(body, "sid", &bad),
		.jti = read_text(body, "jti", &bad),
		.client = read_text(body, "client", &bad),
		.issued_before = read_time(body, "issued_before", 0, &bad),
		.expires = read_time(body, "expires", now_s + spoa_revoke_ttl(conf), &bad),
		.added = now_s,
		.source = SPAN("operator"),
	};
	return !bad;
}

static const struct {
	int rc;
	unsigned status;
} STATUSES[] = {{-EINVAL, 400}, {-ENOENT, 404}, {-ENOSPC, 507}};

static void say_error(struct spoa_http_answer *answer, int rc, const char *why)
{
	unsigned status = 500;

	for (size_t i = 0; i < ARRAY_SIZE(STATUSES); i++)
		if (STATUSES[i].rc == rc)
			status = STATUSES[i].status;
	spoa_route_refuse(answer, status, why);
}

static void log_revoked(const struct store_revocation *entry)
{
	struct base_log log;

	if (!spoa_log_open(&log, BASE_LOG_INFO, "revoked"))
		return;
	base_log_int(&log, "id", entry->id);
	base_log_text(&log, "source", entry->source);
	base_log_text(&log, "iss", entry->iss);
	base_log_text(&log, "sub", entry->sub);
	base_log_text(&log, "client", entry->client);
	base_log_int(&log, "expires", entry->expires);
	spoa_log_close(&log);
}

void spoa_route_revoke(
	void *arg, const struct spoa_http_request *request, struct spoa_http_answer *answer)
{
	struct spoa_daemon *daemon = arg;
	cleanup(json) json_t *json = token_json_parse(request->body, CAPS);
	char why[STORE_WHY] = "the body is not the JSON object that is expected";
	struct store_revocation entry;
	struct base_now now;
	int rc = -EINVAL;

	base_clock_now(&now);
	if (json && read_entry(json, daemon->config->conf, base_clock_wall_s(&now), &entry))
		rc = spoa_revoke_add(daemon->revoke, &entry, base_clock_wall_s(&now), why);
	if (rc) {
		say_error(answer, rc, why);
		return;
	}
	log_revoked(&entry);
	spoa_route_say(answer, 201,
		json_pack("{s:I, s:I}", "id", (json_int_t)entry.id, "expires",
			(json_int_t)entry.expires));
}

void spoa_route_unrevoke(
	void *arg, const struct spoa_http_request *request, struct spoa_http_answer *answer)
{
	struct spoa_daemon *daemon = arg;
	cleanup(json) json_t *json = token_json_parse(request->body, CAPS);
	const json_t *id = json_object_get(json, "id");
	char why[STORE_WHY] = "the body must be {\"id\": NUMBER}";
	struct base_log log;
	int rc = -EINVAL;

	if (json_is_integer(id) && json_object_size(json) == 1)
		rc = spoa_revoke_remove(daemon->revoke, json_integer_value(id), why);
	if (rc) {
		say_error(answer, rc, why);
		return;
	}
	if (spoa_log_open(&log, BASE_LOG_INFO, "revocation_removed")) {
		base_log_int(&log, "id", json_integer_value(id));
		spoa_log_close(&log);
	}
	spoa_route_say(answer, 200, json_pack("{s:I}", "id", json_integer_value(id)));
}

void spoa_route_revocations(
	void *arg, const struct spoa_http_request *request, struct spoa_http_answer *answer)
{
	struct spoa_daemon *daemon = arg;
	struct base_now now;

	(void)request;
	base_clock_now(&now);
	spoa_route_say(answer, 200, spoa_revoke_json(daemon->revoke, base_clock_wall_s(&now)));
}
