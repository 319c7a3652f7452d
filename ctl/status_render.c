#include "ctl/status_render.h"

#include "ctl/out.h"

#include <string.h>

/* A number as text, or "-". */
struct number {
	char text[24];
};

static struct number number_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	struct number n = {"-"};

	if (json_is_integer(value))
		snprintf(n.text, sizeof(n.text), "%lld", (long long)json_integer_value(value));
	return n;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text && *text ? text : "-";
}

static bool is_text(const json_t *object, const char *key, const char *text)
{
	return !strcmp(text_of(object, key), text);
}

/* The largest unit of which there are at least two; else seconds. */
static const struct {
	long long seconds;
	const char *name;
} UNITS[] = {{86400, "d"}, {3600, "h"}, {60, "min"}};

static struct number age_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	long long s = json_integer_value(value);
	struct number n = {"-"};

	if (!json_is_integer(value))
		return n;
	for (size_t i = 0; i < ARRAY_SIZE(UNITS); i++)
		if (s >= 2 * UNITS[i].seconds) {
			snprintf(n.text, sizeof(n.text), "%lld %s", s / UNITS[i].seconds,
				UNITS[i].name);
			return n;
		}
	snprintf(n.text, sizeof(n.text), "%lld s", s);
	return n;
}

static size_t complain(FILE *to, const char *what, const char *why)
{
	if (!to)
		return 1;
	fputs(ctl_out_color(to, CTL_OUT_BAD), to);
	ctl_out_text(to, "!! %s%s%s", what, *why ? ": " : "", why);
	fprintf(to, "%s\n", ctl_out_color(to, CTL_OUT_PLAIN));
	return 1;
}

static size_t complain_not_ready(const json_t *status, FILE *to)
{
	const json_t *reasons = json_object_get(status, "not_ready");
	const json_t *reason;
	size_t i;

	if (!json_is_false(json_object_get(status, "ready")))
		return 0;
	if (!json_array_size(reasons))
		return complain(to, "NOT READY", "");
	json_array_foreach (reasons, i, reason)
		complain(to, "NOT READY", json_is_string(reason) ? json_string_value(reason) : "-");
	return 1;
}

static size_t complain_empty(const json_t *provider, FILE *to)
{
	cleanup(free) char *why = NULL;

	if (!is_text(provider, "state", "empty") && !is_text(provider, "state", "expired"))
		return 0;
	if (asprintf(&why, "provider %s, last error: %s", text_of(provider, "name"),
		    text_of(provider, "last_error")) < 0)
		why = NULL;
	return complain(to, "NO KEYS", why ? why : "");
}

static size_t complain_kernel(const json_t *bpf, FILE *to)
{
	const json_t *glass = json_object_get(bpf, "break_glass_s");
	const json_t *missing;
	size_t n = 0, i;
	char what[80];

	json_array_foreach (json_object_get(bpf, "missing"), i, missing) {
		snprintf(what, sizeof(what), "KERNEL LACKS %.60s", text_of(missing, "program"));
		n += complain(to, what, text_of(missing, "lost"));
	}
	if (json_integer_value(glass) > 0) {
		snprintf(what, sizeof(what), "for another %lld s",
			(long long)json_integer_value(glass));
		n += complain(to, "THE GLASS IS BROKEN, the kernel only audits", what);
	}
	return n;
}

/* A HAProxy that would send packets without the marks that it is told to set. */
static size_t complain_marks(const json_t *haproxy, FILE *to)
{
	const json_t *one;
	size_t n = 0, i;
	char what[80];

	if (!json_is_true(json_object_get(haproxy, "marks")))
		return 0;
	json_array_foreach (json_object_get(haproxy, "processes"), i, one) {
		const json_t *can = json_object_get(one, "can_mark");

		if (json_is_true(can))
			continue;
		snprintf(what, sizeof(what), "HAPROXY %s MARK, process %.20s",
			json_is_false(can) ? "CANNOT" : "MAY NOT BE ABLE TO",
			number_of(one, "pid").text);
		n += complain(to, what,
			json_is_false(can) ? "it has no CAP_NET_ADMIN and gets no marks"
					   : "identityd cannot see it in /proc (ProtectProc=)");
	}
	return n;
}

static size_t complain_workloads(const json_t *workloads, FILE *to)
{
	const json_t *ipcache = json_object_get(workloads, "ipcache");
	size_t n = 0;

	if (json_is_string(json_object_get(ipcache, "why")))
		n += complain(to, "NO IPCACHE", text_of(ipcache, "why"));
	if (json_is_string(json_object_get(workloads, "labels_why")))
		n += complain(to, "NO NEW LABELS", text_of(workloads, "labels_why"));
	return n;
}

size_t ctl_status_complaints(const json_t *status, FILE *to)
{
	const json_t *bpf = json_object_get(status, "bpf");
	const json_t *config = json_object_get(status, "config");
	const json_t *audit = json_object_get(status, "audit");
	const json_t *provider;
	size_t n = complain_not_ready(status, to);
	size_t i;

	if (is_text(bpf, "state", "not_enforced"))
		n += complain(to, "NOT ENFORCED", text_of(bpf, "why"));
	n += complain_kernel(bpf, to);
	n += complain_marks(json_object_get(status, "haproxy"), to);
	n += complain_workloads(json_object_get(status, "workloads"), to);
	json_array_foreach (json_object_get(status, "providers"), i, provider)
		n += complain_empty(provider, to);
	if (is_text(json_object_get(status, "etcd"), "state", "away"))
		n += complain(to, "ETCD IS AWAY", text_of(json_object_get(status, "etcd"), "why"));
	if (json_is_string(json_object_get(audit, "error")))
		n += complain(to, "NO AUDIT LOG", text_of(audit, "error"));
	if (json_is_string(json_object_get(audit, "rotation_error")))
		n += complain(to, "THE AUDIT LOG IS NOT ROTATED and grows on",
			text_of(audit, "rotation_error"));
	if (json_is_string(json_object_get(config, "last_reload_error")))
		n += complain(to, "RELOAD FAILED", text_of(config, "last_reload_error"));
	return n;
}

static void render_head(const json_t *status, FILE *to)
{
	const json_t *ready = json_object_get(status, "ready");
	const char *word = json_is_true(ready) ? "ready" : "not ready";

	ctl_out_line(to, "identityd %s, up %s, %s", text_of(status, "version"),
		age_of(status, "uptime_s").text,
		json_is_boolean(ready) ? word : "readiness unknown");
}

static void render_etcd(const json_t *etcd, FILE *to)
{
	const json_t *numbers = json_object_get(etcd, "numbers");

	if (!json_is_object(etcd))
		return;
	ctl_out_line(to,
		"etcd           %s at %s as %s (%s): %s numbers known, %s of ours realised",
		text_of(etcd, "state"), text_of(etcd, "endpoint"), text_of(etcd, "node"),
		text_of(etcd, "mode"), number_of(etcd, "known").text,
		number_of(numbers, "realised").text);
}

static void render_sums(const json_t *status, FILE *to)
{
	const json_t *config = json_object_get(status, "config");
	const json_t *bpf = json_object_get(status, "bpf");
	const json_t *requests = json_object_get(status, "requests");
	const json_t *audit = json_object_get(status, "audit");
	const json_t *attached = json_object_get(bpf, "attached");
	const char *word = json_is_true(attached) ? "attached" : "not attached";

	ctl_out_line(to, "configuration  %s, generation %s, loaded %s", text_of(config, "path"),
		number_of(config, "generation").text, text_of(config, "loaded_at"));
	ctl_out_line(to, "kernel         %s (mode %s, %s)", text_of(bpf, "state"),
		text_of(bpf, "mode"), json_is_boolean(attached) ? word : "-");
	ctl_out_line(to, "flows          %s opened, %s closed, %s without room, at most %s",
		number_of(bpf, "flows_opened").text, number_of(bpf, "flows_closed").text,
		number_of(bpf, "flows_full").text, number_of(bpf, "max_flows").text);
	ctl_out_line(to, "connections    %s on %s workers, %s requests waiting",
		number_of(status, "connections").text, number_of(status, "workers").text,
		number_of(status, "waiting").text);
	if (json_object_get(audit, "written"))
		ctl_out_line(to, "audit          to %s, %s written, %s lost", text_of(audit, "to"),
			number_of(audit, "written").text, number_of(audit, "lost").text);
	render_etcd(json_object_get(status, "etcd"), to);
	ctl_out_line(to, "requests       %s allow, %s deny, %s error",
		number_of(requests, "allow").text, number_of(requests, "deny").text,
		number_of(requests, "error").text);
}

void ctl_status_providers(const json_t *status, FILE *to)
{
	static const char *const HEADERS[] = {
		"PROVIDER", "STATE", "KEYS", "AGE", "ISSUER", "LAST ERROR"};
	cleanup(ctl_out_table) struct ctl_out_table table = {
		.headers = HEADERS, .n_columns = ARRAY_SIZE(HEADERS)};
	const json_t *p;
	size_t i;

	json_array_foreach (json_object_get(status, "providers"), i, p) {
		ctl_out_cell(&table, text_of(p, "name"));
		ctl_out_cell(&table, text_of(p, "state"));
		ctl_out_cell(&table, number_of(p, "keys").text);
		ctl_out_cell(&table, age_of(p, "key_age_s").text);
		ctl_out_cell(&table, text_of(p, "issuer"));
		ctl_out_cell(&table, text_of(p, "last_error"));
	}
	ctl_out_table_print(&table, to);
}

void ctl_status_identities(const json_t *status, FILE *to)
{
	static const char *const HEADERS[] = {"IDENTITY", "FROM", "ROLE", "LABELS"};
	cleanup(ctl_out_table) struct ctl_out_table table = {
		.headers = HEADERS, .n_columns = ARRAY_SIZE(HEADERS)};
	const json_t *id;
	size_t i;

	json_array_foreach (json_object_get(status, "identities"), i, id) {
		ctl_out_cell(&table, number_of(id, "id").text);
		ctl_out_cell(&table, text_of(id, "provenance"));
		ctl_out_cell(&table, text_of(id, "role"));
		ctl_out_cell(&table, text_of(id, "labels"));
	}
	ctl_out_table_print(&table, to);
}

size_t ctl_status_render(const json_t *status, FILE *to)
{
	size_t n;

	render_head(status, to);
	n = ctl_status_complaints(status, to);
	fputc('\n', to);
	render_sums(status, to);
	if (json_array_size(json_object_get(status, "providers")))
		fputc('\n', to);
	ctl_status_providers(status, to);
	if (json_array_size(json_object_get(status, "identities")))
		fputc('\n', to);
	ctl_status_identities(status, to);
	return n;
}
