/* What the main thread knows, given to whom it concerns: workers, kernel, log. */
#include "spoa/daemon.h"

#include "spoa/log.h"

#include <errno.h>

int spoa_daemon_publish(struct spoa_daemon *daemon)
{
	struct spoa_snapshot *snapshot =
		spoa_snapshot_new(daemon->config, daemon->watch.enforcement, daemon->watch.maps);

	daemon->unpublished = !snapshot;
	if (!snapshot)
		return -ENOMEM;
	if (spoa_keys_fill(daemon->keys, snapshot)) {
		spoa_snapshot_unref(snapshot);
		daemon->unpublished = true;
		return -ENOMEM;
	}
	spoa_identities_unref(snapshot->identities);
	snapshot->identities = spoa_identities_ref(spoa_numbers_table(daemon->numbers));
	snapshot->policies = spoa_policies_ref(daemon->policies);
	snapshot->workloads = spoa_workload_watch_now(daemon->workloads);
	snapshot->observe |= daemon->observe_until != 0;
	snapshot->guard = daemon->guard;
	snapshot->signers = spoa_signers_ref(spoa_keyring_signers(daemon->keyring));
	snapshot->revocations = token_revocations_ref(spoa_revoke_list(daemon->revoke));
	snapshot->number = ++daemon->published;
	for (unsigned i = 0; i < daemon->n_workers; i++)
		spoa_worker_publish(daemon->workers[i], snapshot);
	spoa_snapshot_unref(daemon->snapshot);
	daemon->snapshot = snapshot;
	return 0;
}

void spoa_daemon_changed(void *arg)
{
	if (spoa_daemon_publish(arg))
		spoa_log(BASE_LOG_ERROR, "no_memory", "for", "snapshot");
}

void spoa_daemon_log_enforcement(const struct spoa_watch *watch)
{
	bool on = watch->enforcement == SPOA_ENFORCEMENT_ON;
	struct base_log log;

	if (!spoa_log_open(&log, on ? BASE_LOG_INFO : BASE_LOG_WARNING, "enforcement"))
		return;
	base_log_str(&log, "state", spoa_enforcement_name(watch->enforcement));
	if (watch->enforcement == SPOA_ENFORCEMENT_NONE)
		base_log_str(&log, "meaning",
			"NOTHING IS ENFORCED IN THE KERNEL: identities only reach HAProxy");
	if (watch->enforcement == SPOA_ENFORCEMENT_LOST)
		base_log_str(&log, "meaning",
			"what would be allowed is answered 503 until the pins are back");
	if (*watch->why)
		base_log_str(&log, "why", watch->why);
	spoa_log_close(&log);
}

bool spoa_daemon_sign(struct spoa_daemon *daemon)
{
	char why[STORE_WHY] = "";
	struct base_now now;
	bool changed = false;
	int rc;

	base_clock_now(&now);
	rc = spoa_keyring_tick(
		daemon->keyring, daemon->config->conf, base_clock_wall_s(&now), &changed, why);
	if (rc && !daemon->keyring_failed)
		spoa_log(BASE_LOG_ERROR, "assertion_keys_failed", "why", why);
	daemon->keyring_failed = rc != 0;
	if (changed)
		spoa_log(BASE_LOG_INFO, "assertion_keys", NULL, NULL);
	return changed;
}

void spoa_daemon_revoked(void *arg, const struct token_revocation *what)
{
	struct spoa_daemon *daemon = arg;

	spoa_kernel_revoke(&daemon->kernel, what);
}

void spoa_daemon_use_kernel(struct spoa_daemon *daemon)
{
	spoa_kernel_use(&daemon->kernel, daemon->config, daemon->watch.maps, daemon->watch.dir);
	spoa_kernel_policy_use(&daemon->in_kernel, daemon->config, daemon->policies,
		daemon->watch.maps, spoa_kernel_owns(&daemon->kernel));
}

void spoa_daemon_observe(struct spoa_daemon *daemon, uint64_t for_ns, const char *why)
{
	struct base_log log;

	daemon->observe_until = for_ns ? base_clock_mono_ns() + for_ns : 0;
	spoa_kernel_observe(&daemon->kernel, for_ns != 0);
	spoa_daemon_changed(daemon);
	spoa_audit_note(&daemon->audit, for_ns ? "observe" : "enforce", why);
	if (!spoa_log_open(&log, BASE_LOG_WARNING, "observe"))
		return;
	base_log_str(&log, "state", for_ns ? "every request is allowed" : "over: verdicts hold");
	base_log_int(&log, "seconds", (int64_t)(for_ns / (uint64_t)NS_PER_S));
	base_log_str(&log, "why", why);
	spoa_log_close(&log);
}
