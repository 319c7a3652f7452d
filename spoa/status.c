#include "spoa/status.h"

#include "base/utf8.h"
#include "spoa/daemon.h"
#include "spoa/metrics_asked.h"
#include "spoa/kernel_status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

json_t *spoa_status_text(const char *text)
{
	struct span rest = span_of(text);
	char copy[2048];
	size_t n = 0;

	while (rest.n && n + 4 <= sizeof(copy)) {
		size_t used = base_utf8_next(rest);

		if (used)
			memcpy(copy + n, rest.p, used);
		else
			copy[n] = '?';
		used += !used;
		n += used;
		rest.p += used;
		rest.n -= used;
	}
	return n ? json_stringn(copy, n) : json_null();
}

/* Names in the list whatever keeps the daemon from doing its whole job. */
static json_t *not_ready(const struct spoa_daemon *daemon)
{
	json_t *list = json_array();
	char text[128];

	if (spoa_keys_missing(daemon->keys)) {
		snprintf(text, sizeof(text), "%zu provider(s) without keys",
			spoa_keys_missing(daemon->keys));
		json_array_append_new(list, json_string(text));
	}
	if (daemon->watch.enforcement == SPOA_ENFORCEMENT_LOST)
		json_array_append_new(list, json_string("the pinned maps are gone"));
	if (daemon->draining)
		json_array_append_new(list, json_string("draining"));
	return list;
}

bool spoa_status_is_ready(const struct spoa_daemon *daemon)
{
	json_t *missing = not_ready(daemon);
	bool ready = json_array_size(missing) == 0;

	json_decref(missing);
	return ready;
}

static json_t *identity_of(const char *role, const struct spoa_identity *identity)
{
	const struct ident_number number = identity->number;

	return json_pack("{s:I, s:s, s:b, s:s, s:s}", "id", (json_int_t)number.id, "provenance",
		ident_provenance_name(number.from), "realised", number.realised, "role", role,
		"labels", identity->labels);
}

/* Those of the roles in their order, then those that came up with callers. */
json_t *spoa_status_identities(const struct spoa_daemon *daemon)
{
	const struct spoa_identities *table = spoa_numbers_table(daemon->numbers);
	const struct spoa_config *config = daemon->config;
	json_t *list = json_array();

	for (size_t i = 0; i < table->n_roles; i++)
		if (table->of_role[i])
			json_array_append_new(
				list, identity_of(config->roles[i].name, table->of_role[i]));
	for (size_t i = 0; i < table->n_slots; i++)
		if (table->slots[i] && table->slots[i]->role < 0)
			json_array_append_new(
				list, identity_of(table->slots[i]->roles, table->slots[i]));
	return list;
}

static const char *const MODES[] = {"auto", "required", "off"};
_Static_assert(ARRAY_SIZE(MODES) == CONF_BPF_OFF + 1, "a word for each");

static json_t *bpf(const struct spoa_daemon *daemon)
{
	const struct spoa_watch *watch = &daemon->watch;
	json_t *object = json_pack("{s:s, s:s, s:o}", "mode", MODES[watch->mode], "state",
		spoa_enforcement_name(watch->enforcement), "why", spoa_status_text(watch->why));

	spoa_kernel_status(&daemon->kernel, object);
	return object;
}

static json_t *haproxies(struct spoa_daemon *daemon)
{
	json_t *list = json_array();
	struct base_now now;

	base_clock_now(&now);
	spoa_haproxies_look(&daemon->haproxies, &now);
	for (size_t i = 0; i < SPOA_HAPROXIES; i++) {
		const struct spoa_haproxy *one = &daemon->haproxies.list[i];
		json_t *can = one->can_mark == SPOA_CAN_MARK_UNKNOWN
				      ? json_null()
				      : json_boolean(one->can_mark == SPOA_CAN_MARK_YES);

		if (one->pid)
			json_array_append_new(
				list, json_pack("{s:i, s:I, s:o}", "pid", (int)one->pid, "uid",
					      (json_int_t)one->uid, "can_mark", can));
		else
			json_decref(can);
	}
	return json_pack("{s:b, s:o}", "marks", spoa_daemon_marks(daemon), "processes", list);
}

static json_t *requests(struct spoa_daemon *daemon)
{
	struct spoa_metrics *sets[SPOA_WORKERS_MAX + 1];
	size_t n = spoa_daemon_metrics(daemon, sets);
	uint64_t sums[SPOA_VERDICTS] = {0};
	json_t *object = json_object();

	for (unsigned r = 0; r < BASE_REASON_COUNT; r++) {
		struct spoa_decision d = spoa_decision_of((enum base_reason)r);

		sums[d.verdict] += spoa_metrics_decisions(sets, n, d.reason);
	}
	for (unsigned v = 0; v < SPOA_VERDICTS; v++)
		json_object_set_new(object, spoa_verdict_name((enum spoa_verdict)v),
			json_integer((json_int_t)sums[v]));
	return object;
}

static const char *const AUDIT_TO[] = {"none", "file", "stdout"};
_Static_assert(ARRAY_SIZE(AUDIT_TO) == CONF_AUDIT_STDOUT + 1, "a word for each");

static json_t *audit_status(const struct spoa_daemon *daemon)
{
	const struct conf *conf = daemon->config->conf;
	json_t *object = json_pack("{s:s}", "to", AUDIT_TO[conf->audit.to]);
	struct audit_stats stats;

	if (!daemon->audit.log)
		return object;
	stats = audit_stats(daemon->audit.log);
	json_object_set_new(object, "path",
		conf->audit.to == CONF_AUDIT_FILE ? spoa_status_text(conf->audit.path)
						  : json_null());
	json_object_set_new(object, "written", json_integer((json_int_t)stats.written));
	json_object_set_new(object, "lost", json_integer((json_int_t)stats.lost));
	json_object_set_new(
		object, "error", stats.error ? json_string(strerror(stats.error)) : json_null());
	json_object_set_new(object, "rotation_error",
		stats.rotation ? json_string(strerror(stats.rotation)) : json_null());
	return object;
}

static json_t *config_status(const struct spoa_daemon *daemon)
{
	time_t loaded = (time_t)daemon->loaded_at;
	struct tm tm;
	char text[32];

	gmtime_r(&loaded, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_pack("{s:o, s:i, s:s, s:o}", "path", spoa_status_text(daemon->config_path),
		"generation", (int)daemon->generation, "loaded_at", text, "last_reload_error",
		spoa_status_text(daemon->reload_error));
}

unsigned spoa_status_connections(const struct spoa_daemon *daemon, unsigned *ret_waiting)
{
	unsigned n = 0;

	*ret_waiting = 0;
	for (unsigned i = 0; i < daemon->n_workers; i++) {
		n += atomic_load_explicit(&daemon->workers[i]->n_conns, memory_order_relaxed);
		*ret_waiting +=
			atomic_load_explicit(&daemon->workers[i]->n_waiting, memory_order_relaxed);
	}
	return n;
}

struct spoa_cache_use spoa_status_cache(const struct spoa_daemon *daemon)
{
	struct spoa_cache_use sum = {0};

	for (unsigned i = 0; i < daemon->n_workers; i++) {
		struct spoa_cache_use use = spoa_cache_use(daemon->workers[i]->state.cache);

		sum.entries += use.entries;
		sum.bytes += use.bytes;
	}
	return sum;
}

int64_t spoa_status_uptime_s(const struct spoa_daemon *daemon)
{
	struct base_now now;

	base_clock_now(&now);
	return (int64_t)((now.mono_ns - daemon->started.mono_ns) / (uint64_t)NS_PER_S);
}

void spoa_status_whole(
	void *arg, const struct spoa_http_request *request, struct spoa_http_answer *answer)
{
	struct spoa_daemon *daemon = arg;
	json_t *missing = not_ready(daemon);
	unsigned waiting;
	unsigned conns = spoa_status_connections(daemon, &waiting);
	json_t *root = json_pack(
		"{s:s, s:I, s:b, s:o, s:o, s:i, s:i, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"version", IDENTITYD_VERSION, "uptime_s", (json_int_t)spoa_status_uptime_s(daemon),
		"ready", json_array_size(missing) == 0, "not_ready", missing, "config",
		config_status(daemon), "workers", (int)daemon->n_workers, "connections", (int)conns,
		"waiting", (int)waiting, "providers", spoa_keys_status(daemon->keys), "bpf",
		bpf(daemon), "identities", spoa_status_identities(daemon), "requests",
		requests(daemon), "audit", audit_status(daemon), "haproxy", haproxies(daemon),
		"workloads", spoa_workload_watch_status(daemon->workloads), "etcd",
		spoa_etcd_status(daemon->etcd));

	(void)request;
	answer->body = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
	json_decref(root);
}

void spoa_status_ready(
	void *arg, const struct spoa_http_request *request, struct spoa_http_answer *answer)
{
	json_t *missing = not_ready(arg);
	bool ready = json_array_size(missing) == 0;
	json_t *root = json_pack("{s:b, s:o}", "ready", ready, "not_ready", missing);

	(void)request;
	answer->body = root ? json_dumps(root, JSON_COMPACT) : NULL;
	if (!ready)
		answer->status = 503;
	json_decref(root);
}

void spoa_status_health(
	void *arg, const struct spoa_http_request *request, struct spoa_http_answer *answer)
{
	(void)arg;
	(void)request;
	answer->body = strdup("ok\n");
}

void spoa_status_metrics(
	void *arg, const struct spoa_http_request *request, struct spoa_http_answer *answer)
{
	struct spoa_daemon *daemon = arg;
	struct spoa_metrics *sets[SPOA_WORKERS_MAX + 1];
	size_t n = spoa_daemon_metrics(daemon, sets);
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	(void)request;
	if (!to)
		return;
	spoa_metrics_write(to, sets, n, daemon->slots.names, daemon->slots.n);
	spoa_metrics_asked(to, daemon);
	if (fclose(to))
		free(text);
	else
		answer->body = text;
}
