/* SIGHUP: the configuration is read again, all or nothing (promise 4). */

#include "spoa/daemon.h"

#include "policy/load.h"
#include "spoa/log.h"

#include <stdio.h>
#include <string.h>

static void log_mistakes(const struct base_diag *diag)
{
	char at[sizeof(diag->file) + 24];
	struct base_log log;

	for (size_t i = 0; i < diag->n_items; i++) {
		const struct base_diag_item *item = &diag->items[i];

		if (!spoa_log_open(&log, BASE_LOG_ERROR, "reload_mistake"))
			return;
		snprintf(at, sizeof(at), "%s:%u:%u", diag->file, item->line, item->column);
		base_log_str(&log, "at", at);
		base_log_str(&log, "text", item->text);
		spoa_log_close(&log);
	}
}

/* Reads, checks and compiles the file. NULL with the mistakes in diag; nothing has changed then. */
static struct spoa_config *read_config(struct spoa_daemon *daemon, struct base_diag *diag)
{
	struct spoa_config *config = NULL;
	struct conf *conf = NULL;

	if (conf_load(daemon->config_path, &conf, diag))
		return NULL;
	if (conf_check_reload(daemon->config->conf, conf, diag)) {
		conf_free(conf);
		return NULL;
	}
	if (spoa_config_new(conf, daemon->store, diag, &config))
		return NULL;
	spoa_slots_assign(&daemon->slots, config);
	return config;
}

static void refuse(struct spoa_daemon *daemon, const struct base_diag *diag)
{
	const struct base_diag_item *first = diag->n_items ? &diag->items[0] : NULL;

	if (first)
		snprintf(daemon->reload_error, sizeof(daemon->reload_error), "%u:%u: %s",
			first->line, first->column, first->text);
	else
		snprintf(daemon->reload_error, sizeof(daemon->reload_error), "out of memory");
	log_mistakes(diag);
	spoa_metrics_add(&daemon->metrics, SPOA_COUNT_RELOADS_FAILED, 1);
	spoa_log(BASE_LOG_ERROR, "reload", "result",
		"refused: the old configuration goes on serving");
}

/* Takes over the policies, which are those of the configuration. */
static void adopt_policies(
	struct spoa_daemon *daemon, struct spoa_policies *policies, uint64_t stamp)
{
	spoa_policies_unref(daemon->policies);
	daemon->policies = policies;
	daemon->policies_stamp = daemon->policies_seen = stamp;
	spoa_policies_log(policies);
}

static int adopt(struct spoa_daemon *daemon, struct spoa_config *config,
	struct spoa_policies *policies, uint64_t stamp)
{
	struct spoa_config *old = daemon->config;
	cleanup(spoa_identities) struct spoa_identities *table = NULL;
	int rc = spoa_numbers_prepare(daemon->numbers, config, policies, &table);

	if (!rc)
		rc = spoa_keys_configure(daemon->keys, config);
	if (rc)
		return rc;
	spoa_numbers_adopt(daemon->numbers, config, policies, TAKE_PTR(table));
	/* From here on keys and configuration belong together, so the old pair cannot come back. */
	daemon->config = spoa_config_ref(config);
	spoa_config_unref(old);
	adopt_policies(daemon, spoa_policies_ref(policies), stamp);
	(void)spoa_daemon_sign(daemon);
	spoa_daemon_use_kernel(daemon);
	if (daemon->etcd)
		spoa_allocator_etcd_configured(daemon->shared);
	rc = spoa_daemon_publish(daemon);
	if (rc)
		spoa_log(BASE_LOG_ERROR, "no_memory", "for", "snapshot");
	else
		spoa_numbers_published(daemon->numbers);
	return 0;
}

static uint64_t stamp_of(const struct spoa_config *config)
{
	const struct conf_strings *paths = &config->conf->policy.paths;

	return policy_load_stamp((const char *const *)paths->items, paths->n);
}

void spoa_daemon_reload(struct spoa_daemon *daemon)
{
	cleanup(spoa_config) struct spoa_config *config = NULL;
	cleanup(spoa_policies) struct spoa_policies *policies = NULL;
	struct base_diag diag;
	uint64_t stamp = 0;
	struct base_now now;

	base_diag_init(&diag, daemon->config_path);
	config = read_config(daemon, &diag);
	if (config)
		stamp = stamp_of(config);
	if (!config || spoa_policies_new(config, &diag, &policies) ||
		adopt(daemon, config, policies, stamp)) {
		refuse(daemon, &diag);
		base_diag_done(&diag);
		return;
	}
	base_diag_done(&diag);
	base_clock_now(&now);
	daemon->generation++;
	daemon->loaded_at = base_clock_wall_s(&now);
	daemon->reload_error[0] = '\0';
	spoa_log_level((enum base_log_level)config->conf->log.level);
	spoa_admin_renew(daemon->admin, config->conf);
	spoa_metrics_add(&daemon->metrics, SPOA_COUNT_RELOADS, 1);
	spoa_log(BASE_LOG_INFO, "reload", "result", "the new configuration serves");
}

static void log_policies(const char *result)
{
	spoa_log(BASE_LOG_INFO, "policies_reload", "result", result);
}

void spoa_daemon_look_at_policies(struct spoa_daemon *daemon)
{
	struct spoa_policies *policies = NULL;
	struct spoa_identities *table = NULL;
	struct base_diag diag;
	uint64_t stamp, seen = daemon->policies_seen;

	if (!daemon->config || !daemon->config->conf->policy.paths.n)
		return;
	stamp = stamp_of(daemon->config);
	daemon->policies_seen = stamp;
	/* Twice the same: whoever writes the files has paused. */
	if (stamp == daemon->policies_stamp || stamp != seen)
		return;
	base_diag_init(&diag, daemon->config_path);
	if (spoa_policies_new(daemon->config, &diag, &policies) == 0 &&
		spoa_numbers_prepare(daemon->numbers, daemon->config, policies, &table) == 0) {
		spoa_numbers_adopt(daemon->numbers, daemon->config, policies, table);
		adopt_policies(daemon, policies, stamp);
		daemon->reload_error[0] = '\0';
		spoa_metrics_add(&daemon->metrics, SPOA_COUNT_RELOADS, 1);
		log_policies("the new policies serve");
		spoa_daemon_use_kernel(daemon);
		spoa_daemon_changed(daemon);
	} else {
		spoa_policies_unref(policies);
		daemon->policies_stamp = stamp; /* said once, not every second */
		refuse(daemon, &diag);
	}
	base_diag_done(&diag);
}
