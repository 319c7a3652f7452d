#include "spoa/audit.h"

#include "spoa/audit_headers.h"
#include "spoa/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define KEY_MIN 32
#define KEY_MAX 4096

/* Called from the audit thread. */
static void on_state(void *arg, int error, bool only_rotation)
{
	struct base_log log;

	(void)arg;
	if (!spoa_log_open(&log, error ? BASE_LOG_ERROR : BASE_LOG_INFO, "audit"))
		return;
	base_log_str(&log, "state",
		only_rotation ? "cannot_rotate"
		: error       ? "cannot_write"
			      : "writing");
	if (error)
		base_log_str(&log, "why", strerror(error));
	spoa_log_close(&log);
}

static int refuse(char *why, const char *path, const char *what)
{
	snprintf(why, SPOA_AUDIT_WHY, "%s: %s", path, what);
	return -EINVAL;
}

/* A secret that others can read is none. */
static int read_key(
	const char *path, unsigned char **ret_key, size_t *ret_n, char why[SPOA_AUDIT_WHY])
{
	cleanup(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	cleanup(free) unsigned char *key = malloc(KEY_MAX + 1);
	struct stat st;
	ssize_t n;

	if (!key)
		return -ENOMEM;
	if (fd < 0 || fstat(fd, &st))
		return refuse(why, path, strerror(errno));
	if (!S_ISREG(st.st_mode) || st.st_mode & 0007)
		return refuse(why, path, "must be a file that others cannot read (chmod o=)");
	n = read(fd, key, KEY_MAX + 1);
	if (n < KEY_MIN || n > KEY_MAX)
		return refuse(why, path, "must hold 32 to 4096 bytes");
	*ret_key = TAKE_PTR(key);
	*ret_n = (size_t)n;
	return 0;
}

static void name_node(struct spoa_audit *audit, const struct conf *conf)
{
	char host[256] = "";

	if (conf->audit.node) {
		snprintf(audit->node, sizeof(audit->node), "%s", conf->audit.node);
		return;
	}
	if (gethostname(host, sizeof(host) - 1) || !*host)
		snprintf(host, sizeof(host), "localhost");
	snprintf(audit->node, sizeof(audit->node), "%s/%s", conf->identity.cluster, host);
}

/* audit_ring_new wants a power of two. */
static size_t ring_bytes(int64_t wanted)
{
	size_t n = 64 * 1024;

	while (n < (size_t)wanted)
		n *= 2;
	return n;
}

int spoa_audit_start(struct spoa_audit *audit, const struct conf *conf, unsigned n_workers,
	char ret_why[SPOA_AUDIT_WHY])
{
	struct audit_options options = {
		.max_bytes = (uint64_t)conf->audit.max_size,
		.keep = (unsigned)conf->audit.keep,
		.ring_bytes = ring_bytes(conf->audit.queue),
		.n_rings = n_workers + 1,
		.state_changed = on_state,
	};
	int rc = 0;

	*audit = (struct spoa_audit){.main_ring = n_workers};
	name_node(audit, conf);
	audit->style = (struct audit_style){
		.node_name = audit->node, .keep_query = conf->audit.keep_query};
	if (conf->audit.pseudonym_key_file)
		rc = read_key(conf->audit.pseudonym_key_file, &audit->key,
			&audit->style.sub_key_bytes, ret_why);
	audit->style.sub_key = audit->key;
	if (rc || conf->audit.to == CONF_AUDIT_NONE)
		return rc;
	if (conf->audit.to == CONF_AUDIT_FILE) {
		options.path = audit->path = strdup(conf->audit.path);
		rc = audit->path ? 0 : -ENOMEM;
	}
	options.style = audit->style;
	if (!rc)
		rc = audit_new(&options, &audit->log);
	return rc;
}

int spoa_audit_watch(struct spoa_audit *audit, struct ev_loop *loop)
{
	audit->recent = spoa_recent_new(loop, audit->main_ring + 1, &audit->style);
	return audit->recent ? 0 : -ENOMEM;
}

void spoa_audit_stop(struct spoa_audit *audit)
{
	spoa_recent_free(audit->recent);
	audit_free(audit->log);
	free(audit->path);
	free(audit->key);
	*audit = (struct spoa_audit){0};
}

static const enum audit_verdict VERDICT[] = {
	[SPOA_ALLOW] = AUDIT_FORWARDED,
	[SPOA_DENY] = AUDIT_DROPPED,
	[SPOA_ERROR] = AUDIT_ERROR,
};
_Static_assert(ARRAY_SIZE(VERDICT) == SPOA_VERDICTS, "one for each");

static struct audit_address address(const struct spoa_address *from)
{
	struct audit_address to = {.len = from->len};

	memcpy(to.bytes, from->bytes, sizeof(to.bytes));
	return to;
}

static void tell_request(struct audit_entry *entry, const struct spoa_request *request)
{
	entry->src = address(&request->src);
	entry->dst = address(&request->dst);
	entry->sport = request->sport;
	entry->dport = request->dport;
	entry->https = request->https;
	entry->text[AUDIT_TEXT_SERVICE] = request->service;
	entry->text[AUDIT_TEXT_METHOD] = request->method;
	entry->text[AUDIT_TEXT_HOST] = request->host;
	entry->text[AUDIT_TEXT_PATH] = request->path;
	entry->text[AUDIT_TEXT_QUERY] = request->query;
	entry->text[AUDIT_TEXT_PROTO] = request->proto;
	entry->text[AUDIT_TEXT_REQID] = request->reqid;
	entry->text[AUDIT_TEXT_TRACEPARENT] = request->traceparent;
}

static void tell_caller(struct audit_entry *entry, const struct spoa_caller *caller,
	const struct spoa_config *config)
{
	entry->text[AUDIT_TEXT_PROVIDER] = span_of(config->rules[caller->provider].name);
	entry->text[AUDIT_TEXT_ISS] = spoa_caller_iss(caller, config);
	entry->text[AUDIT_TEXT_SUB] = spoa_caller_text(caller, SPOA_TEXT_SUB);
	entry->text[AUDIT_TEXT_CLIENT_ID] = spoa_caller_text(caller, SPOA_TEXT_CLIENT_ID);
	entry->text[AUDIT_TEXT_ACTOR] = spoa_caller_text(caller, SPOA_TEXT_ACTOR);
}

void spoa_audit_decision(const struct spoa_audit *audit, unsigned ring, uint64_t *n_allowed,
	const struct spoa_snapshot *snapshot, const struct spoa_request *request,
	const struct spoa_decision *decision, const struct base_now *now)
{
	struct audit_entry entry;
	char headers[AUDIT_TEXT_MAX];
	const struct conf *conf = snapshot->config->conf;
	uint64_t one_of = (uint64_t)conf->audit.allowed;
	bool usual = decision->verdict == SPOA_ALLOW && !spoa_decision_is_audited(decision);
	bool logged, shown;

	if (!audit)
		return;
	logged = audit->log && (!usual || (one_of && (*n_allowed)++ % one_of == 0));
	shown = audit->recent && (!usual || spoa_recent_is_watched(audit->recent));
	if (!logged && !shown)
		return;
	entry = (struct audit_entry){.kind = AUDIT_REQUEST, .wall_ns = now->wall_ns};
	entry.verdict =
		spoa_decision_is_audited(decision) ? AUDIT_AUDIT : VERDICT[decision->verdict];
	entry.text[AUDIT_TEXT_REASON] = span_of(base_reason_word(decision->reason));
	tell_request(&entry, request);
	if (conf->audit.headers.n && request->headers.n)
		entry.text[AUDIT_TEXT_HEADERS] = (struct span){.p = headers,
			.n = spoa_audit_headers(request->headers, &conf->audit.headers,
				&conf->audit.redact, headers, sizeof(headers))};
	if (decision->caller)
		tell_caller(&entry, decision->caller, snapshot->config);
	if (decision->bound != SPOA_BOUND_NONE)
		entry.text[AUDIT_TEXT_TOKEN_WORKLOAD] =
			spoa_caller_text(decision->caller, SPOA_TEXT_WORKLOAD);
	entry.text[AUDIT_TEXT_WORKLOAD] = decision->workload;
	if (decision->role) {
		entry.identity = decision->identity->number.id;
		entry.text[AUDIT_TEXT_LABELS] = spoa_identity_labels(decision->identity);
		entry.text[AUDIT_TEXT_ROLE] = decision->names;
		entry.text[AUDIT_TEXT_ROUTE] = decision->route;
		/* A default is no policy, and has no rule behind a colon. */
		if (decision->policy.n && memchr(decision->policy.p, ':', decision->policy.n))
			entry.text[AUDIT_TEXT_POLICY] = decision->policy;
		entry.text[AUDIT_TEXT_DST_LABELS] = decision->service_labels;
		entry.service_port = decision->service_port;
	}
	if (logged)
		audit_put(audit->log, ring, &entry);
	if (shown)
		spoa_recent_put(audit->recent, ring, &entry);
}

void spoa_audit_note(const struct spoa_audit *audit, const char *type, const char *text)
{
	struct audit_entry entry = {.kind = AUDIT_NOTE};
	struct base_now now;

	if (!audit->log && !audit->recent)
		return;
	base_clock_now(&now);
	entry.wall_ns = now.wall_ns;
	entry.text[AUDIT_TEXT_TYPE] = span_of(type);
	entry.text[AUDIT_TEXT_NOTE] = span_of(text);
	if (audit->log)
		audit_put(audit->log, audit->main_ring, &entry);
	if (audit->recent)
		spoa_recent_put(audit->recent, audit->main_ring, &entry);
}
