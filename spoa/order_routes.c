#include "spoa/routes.h"

#include "spoa/daemon.h"
#include "spoa/log.h"

#include <string.h>

#define OBSERVE_MAX_S (24 * 3600)

static void log_order(const char *order)
{
	spoa_log(BASE_LOG_WARNING, "operator", "order", order);
}

void spoa_route_drain(
	void *arg, const struct spoa_http_request *request, struct spoa_http_answer *answer)
{
	struct spoa_daemon *daemon = arg;

	(void)request;
	log_order("drain");
	spoa_audit_note(&daemon->audit, "drain", "by the admin interface");
	spoa_daemon_stop(daemon);
	spoa_route_say(answer, 202, json_pack("{s:b}", "draining", 1));
}

void spoa_route_reload(
	void *arg, const struct spoa_http_request *request, struct spoa_http_answer *answer)
{
	struct spoa_daemon *daemon = arg;

	(void)request;
	log_order("reload");
	spoa_daemon_hup(daemon);
	if (daemon->reload_error[0])
		spoa_route_refuse(answer, 409, daemon->reload_error);
	else
		spoa_route_say(
			answer, 200, json_pack("{s:i}", "generation", (int)daemon->generation));
}

static bool find_level(const char *word, enum base_log_level *ret)
{
	for (int i = BASE_LOG_ERROR; i <= BASE_LOG_DEBUG; i++)
		if (word && !strcmp(word, base_log_level_name((enum base_log_level)i))) {
			*ret = (enum base_log_level)i;
			return true;
		}
	return false;
}

void spoa_route_log_level(
	void *arg, const struct spoa_http_request *request, struct spoa_http_answer *answer)
{
	json_t *body = spoa_route_body(request);
	enum base_log_level level;
	bool good = find_level(json_string_value(json_object_get(body, "level")), &level);

	(void)arg;
	json_decref(body);
	if (!good) {
		spoa_route_refuse(answer, 400, "wanted: level, one of error, warning, info, debug");
		return;
	}
	log_order(base_log_level_name(level));
	spoa_log_level(level);
	spoa_route_say(answer, 200, json_pack("{s:s}", "level", base_log_level_name(level)));
}

void spoa_route_observe(
	void *arg, const struct spoa_http_request *request, struct spoa_http_answer *answer)
{
	struct spoa_daemon *daemon = arg;
	json_t *body = spoa_route_body(request);
	const char *why = json_string_value(json_object_get(body, "why"));
	int64_t seconds = 0;

	if (!why || !*why || !spoa_route_integer(body, "seconds", 0, OBSERVE_MAX_S, &seconds)) {
		json_decref(body);
		spoa_route_refuse(answer, 400, "wanted: seconds, 0 to 86400, and why");
		return;
	}
	spoa_daemon_observe(daemon, (uint64_t)seconds * (uint64_t)NS_PER_S, why);
	json_decref(body);
	spoa_route_say(answer, 200, json_pack("{s:I}", "seconds", (json_int_t)seconds));
}
