#include "spoa/metrics_asked.h"

#include "policy/index.h"
#include "spoa/daemon.h"
#include "spoa/status.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

/* One line for each provider that has this number in its status. */
static void write_provider_numbers(
	FILE *to, const json_t *providers, enum spoa_family family, const char *key)
{
	const json_t *provider;
	size_t i;

	spoa_metrics_head(to, family);
	json_array_foreach (providers, i, provider) {
		const json_t *value = json_object_get(provider, key);
		char label[300];

		snprintf(label, sizeof(label), "provider=\"%s\"",
			json_string_value(json_object_get(provider, "name")));
		if (json_is_integer(value))
			spoa_metrics_value(to, family, label, (double)json_integer_value(value));
	}
}

static void write_providers(FILE *to, struct spoa_daemon *daemon)
{
	json_t *providers = spoa_keys_status(daemon->keys);
	const json_t *provider;
	size_t i;

	spoa_metrics_head(to, SPOA_FAMILY_PROVIDER_STATE);
	json_array_foreach (providers, i, provider) {
		char labels[400];

		snprintf(labels, sizeof(labels), "provider=\"%s\",state=\"%s\"",
			json_string_value(json_object_get(provider, "name")),
			json_string_value(json_object_get(provider, "state")));
		spoa_metrics_value(to, SPOA_FAMILY_PROVIDER_STATE, labels, 1);
	}
	write_provider_numbers(to, providers, SPOA_FAMILY_PROVIDER_KEYS, "keys");
	write_provider_numbers(to, providers, SPOA_FAMILY_PROVIDER_AGE, "key_age_s");
	json_decref(providers);
	spoa_metrics_one(to, SPOA_FAMILY_WITHOUT_KEYS, (double)spoa_keys_missing(daemon->keys));
}

static void write_workers(FILE *to, const struct spoa_daemon *daemon)
{
	struct spoa_cache_use use = spoa_status_cache(daemon);
	unsigned waiting;
	unsigned conns = spoa_status_connections(daemon, &waiting);

	spoa_metrics_one(to, SPOA_FAMILY_WORKERS, daemon->n_workers);
	spoa_metrics_one(to, SPOA_FAMILY_CONNECTIONS, conns);
	spoa_metrics_one(to, SPOA_FAMILY_WAITING, waiting);
	spoa_metrics_one(to, SPOA_FAMILY_CACHE_ENTRIES, (double)use.entries);
	spoa_metrics_one(to, SPOA_FAMILY_CACHE_BYTES, (double)use.bytes);
	spoa_metrics_one(to, SPOA_FAMILY_CACHE_MAX, (double)daemon->config->conf->cache.tokens);
}

static void write_state(FILE *to, struct spoa_daemon *daemon)
{
	const struct conf *conf = daemon->config->conf;
	const struct spoa_policies *policies = daemon->policies;
	const struct spoa_identities *table = spoa_numbers_table(daemon->numbers);
	struct base_now now;
	int64_t wall_s;

	base_clock_now(&now);
	wall_s = base_clock_wall_s(&now);
	spoa_metrics_one(
		to, SPOA_FAMILY_ENFORCED, daemon->watch.enforcement == SPOA_ENFORCEMENT_ON);
	spoa_metrics_one(to, SPOA_FAMILY_OBSERVE, conf->observe || daemon->observe_until);
	spoa_metrics_one(to, SPOA_FAMILY_UNMARKED,
		spoa_daemon_marks(daemon) ? (double)spoa_haproxies_unable(&daemon->haproxies) : 0);
	spoa_metrics_one(to, SPOA_FAMILY_IDENTITIES, (double)table->n);
	spoa_metrics_one(to, SPOA_FAMILY_IDENTITIES_LENT, (double)table->n_dynamic);
	spoa_metrics_one(to, SPOA_FAMILY_IDENTITIES_MAX, (double)conf->identity.max);
	spoa_metrics_one(
		to, SPOA_FAMILY_REVOCATIONS, (double)spoa_revoke_count(daemon->revoke, wall_s));
	spoa_metrics_one(to, SPOA_FAMILY_REVOCATIONS_MAX, (double)conf->revocation.max_entries);
	spoa_metrics_one(
		to, SPOA_FAMILY_PROOFS, (double)token_replay_count(daemon->guard->replay, wall_s));
	spoa_metrics_one(to, SPOA_FAMILY_GENERATION, daemon->generation);
	spoa_metrics_one(to, SPOA_FAMILY_RELOAD_GOOD, !daemon->reload_error[0]);
	spoa_metrics_one(to, SPOA_FAMILY_POLICIES,
		policies && policies->index
			? (double)policy_set_policies(policy_index_set(policies->index))
			: 0);
	spoa_metrics_one(to, SPOA_FAMILY_STORE_ERRORS, (double)store_failures());
	if (spoa_kernel_owns(&daemon->kernel))
		spoa_metrics_one(to, SPOA_FAMILY_POLICY_KERNEL,
			daemon->in_kernel.written && daemon->in_kernel.policies == policies &&
				daemon->in_kernel.maps == daemon->watch.maps);
}

static void write_audit(FILE *to, const struct spoa_daemon *daemon)
{
	struct audit_stats stats;

	if (!daemon->audit.log)
		return;
	stats = audit_stats(daemon->audit.log);
	spoa_metrics_one(to, SPOA_FAMILY_AUDIT_LINES, (double)stats.written);
	spoa_metrics_one(to, SPOA_FAMILY_AUDIT_LOST, (double)stats.lost);
	spoa_metrics_one(to, SPOA_FAMILY_AUDIT_WRITABLE, stats.error == 0);
}

/* Nothing without etcd. */
static void write_etcd(FILE *to, const struct spoa_daemon *daemon)
{
	struct spoa_etcd_metrics m = spoa_etcd_metrics(daemon->etcd);

	if (!daemon->etcd)
		return;
	spoa_metrics_one(to, SPOA_FAMILY_ETCD_UP, m.up);
	spoa_metrics_one(to, SPOA_FAMILY_ETCD_CALLS, (double)m.calls);
	spoa_metrics_head(to, SPOA_FAMILY_ETCD_FAILURES);
	spoa_metrics_value(to, SPOA_FAMILY_ETCD_FAILURES, "why=\"malformed\"", (double)m.malformed);
	spoa_metrics_value(
		to, SPOA_FAMILY_ETCD_FAILURES, "why=\"other\"", (double)(m.failures - m.malformed));
	spoa_metrics_one(to, SPOA_FAMILY_ETCD_SKIPPED, (double)m.skipped);
	spoa_metrics_head(to, SPOA_FAMILY_ETCD_NUMBERS);
	spoa_metrics_value(to, SPOA_FAMILY_ETCD_NUMBERS, "state=\"known\"", (double)m.known);
	spoa_metrics_value(to, SPOA_FAMILY_ETCD_NUMBERS, "state=\"wanted\"", (double)m.wanted);
	spoa_metrics_value(to, SPOA_FAMILY_ETCD_NUMBERS, "state=\"realised\"", (double)m.realised);
	spoa_metrics_one(to, SPOA_FAMILY_ETCD_ALLOCATED, (double)m.allocated);
	spoa_metrics_head(to, SPOA_FAMILY_ETCD_DOUBTS);
	spoa_metrics_value(to, SPOA_FAMILY_ETCD_DOUBTS, "end=\"doubted\"", (double)m.doubts);
	spoa_metrics_value(to, SPOA_FAMILY_ETCD_DOUBTS, "end=\"replaced\"", (double)m.replaced);
	spoa_metrics_one(to, SPOA_FAMILY_ETCD_REVOCATIONS, (double)m.revocations_waiting);
}

static double seconds(struct timeval tv)
{
	return (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
}

/* Pages that are resident: the second number of /proc/self/statm (proc(5)). */
static double resident_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long total, resident = 0;

	if (f && fscanf(f, "%lu %lu", &total, &resident) != 2)
		resident = 0;
	if (f)
		(void)!fclose(f);
	return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static double open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	double n = -3; /* itself, and the two dots */

	if (!dir)
		return 0;
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void write_process(FILE *to, const struct spoa_daemon *daemon)
{
	struct rusage used;
	struct rlimit files;

	if (!getrusage(RUSAGE_SELF, &used))
		spoa_metrics_one(
			to, SPOA_FAMILY_CPU, seconds(used.ru_utime) + seconds(used.ru_stime));
	spoa_metrics_one(to, SPOA_FAMILY_STARTED, (double)daemon->started.wall_ns / 1e9);
	spoa_metrics_one(to, SPOA_FAMILY_RESIDENT, resident_bytes());
	spoa_metrics_one(to, SPOA_FAMILY_FDS, open_files());
	if (!getrlimit(RLIMIT_NOFILE, &files))
		spoa_metrics_one(to, SPOA_FAMILY_FDS_MAX, (double)files.rlim_cur);
}

void spoa_metrics_asked(FILE *to, struct spoa_daemon *daemon)
{
	char build[200];

	snprintf(build, sizeof(build), "version=\"%s\",compiler=\"%s\"", IDENTITYD_VERSION,
		__VERSION__);
	spoa_metrics_head(to, SPOA_FAMILY_BUILD);
	spoa_metrics_value(to, SPOA_FAMILY_BUILD, build, 1);
	spoa_metrics_one(to, SPOA_FAMILY_UPTIME, (double)spoa_status_uptime_s(daemon));
	spoa_metrics_one(to, SPOA_FAMILY_READY, spoa_status_is_ready(daemon));
	write_workers(to, daemon);
	write_state(to, daemon);
	write_providers(to, daemon);
	write_audit(to, daemon);
	write_etcd(to, daemon);
	write_process(to, daemon);
	spoa_metrics_kernel(
		to, &daemon->kernel, spoa_numbers_table(daemon->numbers), &daemon->extents);
}
