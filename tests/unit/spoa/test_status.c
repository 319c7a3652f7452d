#include "tests/unit/spoa/suites.h"

#include "spoa/daemon.h"
#include "spoa/routes.h"
#include "spoa/status.h"
#include "tests/unit/spoa/help.h"

#include <stdio.h>

static struct spoa_daemon *d;
static char dir[64];
static char file[100];
static unsigned n_changed;

static void on_changed(void *arg)
{
	ck_assert_ptr_eq(arg, &n_changed);
	n_changed++;
}

/* A daemon that serves nothing, with one provider whose keys are in this file. */
static void start(const char *jwks_file)
{
	const struct spoa_allocator allocator = {0};
	const struct spoa_numbers_owner owner = {0};
	struct spoa_identities *table = NULL;
	char yaml[2000];

	snprintf(yaml, sizeof(yaml),
		HELP_HEAD "providers:\n  - {name: a, issuer: 'https://a', audiences: [api], "
			  "algorithms: [ES256], jwks_file: '%s'}\n"
			  "roles: [{name: admin, labels: [role=admin], number: 200}]\n",
		jwks_file);
	d->config = help_config(yaml);
	d->keys = spoa_keys_new(d->loop, NULL, d->store, &d->metrics, on_changed, &n_changed);
	ck_assert_ptr_nonnull(d->keys);
	ck_assert_int_eq(spoa_keys_configure(d->keys, d->config), 0);
	d->numbers = spoa_numbers_new(&allocator, &owner, &d->metrics);
	ck_assert_ptr_nonnull(d->numbers);
	ck_assert_int_eq(spoa_numbers_prepare(d->numbers, d->config, NULL, &table), 0);
	spoa_numbers_adopt(d->numbers, d->config, NULL, table);
}

static void setup(void)
{
	const struct spoa_revoke_owner owner = {.changed = on_changed, .arg = &n_changed};
	char path[80];
	char why[STORE_WHY];

	d = calloc(1, sizeof(*d));
	d->loop = ev_loop_new(EVFLAG_AUTO);
	d->config_path = "/etc/identityd.yaml";
	d->generation = 3;
	d->loaded_at = HELP_NOW_S;
	n_changed = 0;
	ck_assert_int_eq(spoa_watch_init(&d->watch, CONF_BPF_OFF, "/nonexistent"), 0);
	help_mkdir(dir);
	snprintf(file, sizeof(file), "%s/keys", dir);
	snprintf(path, sizeof(path), "%s/store", dir);
	ck_assert_int_eq(store_open(path, &d->store, why), 0);
	ck_assert_int_eq(spoa_guard_new(64, d->store, &d->guard, why), 0);
	ck_assert_int_eq(spoa_revoke_new(d->store, 5, &owner, 1, &d->revoke, why), 0);
}

static void teardown(void)
{
	spoa_keys_free(d->keys);
	spoa_numbers_free(d->numbers);
	spoa_revoke_free(d->revoke);
	spoa_guard_free(d->guard);
	store_close(d->store);
	spoa_config_unref(d->config);
	spoa_snapshot_unref(d->snapshot);
	spoa_watch_done(&d->watch);
	ev_loop_destroy(d->loop);
	free(d);
	help_rmdir(dir);
}

static char *get(const char *path, unsigned want)
{
	for (size_t i = 0; i < spoa_admin_n_routes; i++) {
		const struct spoa_http_request request = {.content_type = ""};
		struct spoa_http_answer answer = {.status = 200};

		if (strcmp(spoa_admin_routes[i].path, path))
			continue;
		spoa_admin_routes[i].handle(d, &request, &answer);
		ck_assert_msg(answer.body, "%s has no body", path);
		ck_assert_uint_eq(answer.status, want);
		return answer.body;
	}
	ck_abort_msg("no route %s", path);
	return NULL;
}

static json_t *get_json(const char *path, unsigned want)
{
	char *text = get(path, want);
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	ck_assert_ptr_nonnull(json);
	free(text);
	return json;
}

static void write_keys(void)
{
	char *jwks = test_jwks(test_key_jwk(test_key_of(TOKEN_ES256), "k"), NULL);

	help_write(file, jwks);
	free(jwks);
}

START_TEST(health)
{
	/* Whoever answers is alive. */
	char *text = get("/healthz", 200);

	ck_assert_str_eq(text, "ok\n");
	free(text);
}
END_TEST

START_TEST(ready)
{
	/* Ready with all keys; not without, not while maps are lost, not while draining. */
	json_t *json;

	start(file);
	json = get_json("/readyz", 503);
	ck_assert(json_is_false(json_object_get(json, "ready")));
	ck_assert_uint_eq(json_array_size(json_object_get(json, "not_ready")), 1);
	json_decref(json);
	write_keys();
	ck_assert_int_eq(spoa_keys_configure(d->keys, d->config), 0);
	json = get_json("/readyz", 200);
	ck_assert(json_is_true(json_object_get(json, "ready")));
	json_decref(json);
	d->draining = true;
	d->watch.enforcement = SPOA_ENFORCEMENT_LOST;
	json = get_json("/readyz", 503);
	ck_assert_uint_eq(json_array_size(json_object_get(json, "not_ready")), 2);
	json_decref(json);
}
END_TEST

START_TEST(status)
{
	/* The status names configuration, providers, identities and what was answered. */
	json_t *json;
	int id;
	const char *name, *state, *enforced;
	int allow, error;

	write_keys();
	start(file);
	spoa_metrics_decision(&d->metrics, 1, BASE_REASON_OK);
	spoa_metrics_decision(&d->metrics, 0, BASE_REASON_OVERLOAD);
	spoa_metrics_decision(&d->metrics, SPOA_SLOT_OTHER, BASE_REASON_INTERNAL);
	json = get_json("/api/v1/status", 200);
	ck_assert_int_eq(
		json_unpack(json, "{s:[{s:i}], s:[{s:s, s:s}], s:{s:s}, s:{s:i, s:i}}",
			"identities", "id", &id, "providers", "name", &name, "state", &state, "bpf",
			"state", &enforced, "requests", "allow", &allow, "error", &error),
		0);
	ck_assert_int_eq(id, 200);
	ck_assert_str_eq(name, "a");
	ck_assert_str_eq(state, "fresh");
	ck_assert_str_eq(enforced, "off");
	ck_assert_int_eq(allow, 1);
	ck_assert_int_eq(error, 2);
	json_decref(json);
}
END_TEST

START_TEST(cut_text)
{
	/* Texts that were cut inside a character do not take the status away. */
	char name[400] = "";
	json_t *json;

	for (int i = 0; i < 100; i++)
		memcpy(name + 3 * i, "\xe2\x82\xac", 4);
	for (int shift = 0; shift < 3; shift++) {
		char path[500];

		snprintf(path, sizeof(path), "/%.*s%s", shift, "xx", name);
		start(path);
		snprintf(d->reload_error, sizeof(d->reload_error), "%.250s", path + 1);
		json = get_json("/api/v1/status", 200);
		json_decref(json);
		spoa_keys_free(TAKE_PTR(d->keys));
		spoa_numbers_free(TAKE_PTR(d->numbers));
		spoa_config_unref(TAKE_PTR(d->config));
	}
}
END_TEST

START_TEST(metrics)
{
	/* Every metric has HELP and TYPE once, before its samples, and no sample is there twice. */
	char *lines[400];
	char *save = NULL;
	size_t n = 0;
	char *text;

	start(file);
	text = get("/metrics", 200);
	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		ck_assert_uint_lt(n, ARRAY_SIZE(lines));
		lines[n++] = l;
	}
	for (size_t i = 0; i < n; i++) {
		size_t key = *lines[i] == '#' ? strcspn(lines[i] + 7, " ") + 7
					      : (size_t)(strrchr(lines[i], ' ') - lines[i]);

		for (size_t j = 0; j < i; j++)
			ck_assert_msg(strncmp(lines[i], lines[j], key + 1), "%s is there twice",
				lines[i]);
		if (*lines[i] == '#')
			continue;
		size_t head = i;

		while (*lines[head] != '#')
			head--;
		ck_assert_int_eq(strncmp(lines[head], "# TYPE ", 7), 0);
		key = strcspn(lines[head] + 7, " ");
		ck_assert_int_eq(strncmp(lines[head] + 7, lines[i], key), 0);
		/* A histogram's samples have longer names. */
		if (strstr(lines[head], " histogram"))
			ck_assert_int_eq(lines[i][key], '_');
		else
			ck_assert_ptr_nonnull(strchr("{ ", lines[i][key]));
		ck_assert_int_eq(strncmp(lines[head - 1], "# HELP ", 7), 0);
		ck_assert_int_eq(strncmp(lines[head - 1] + 7, lines[i], key), 0);
	}
	ck_assert_uint_gt(n, 80);
	free(text);
}
END_TEST

Suite *suite_status(void)
{
	Suite *suite = suite_create("status");
	TCase *tc = tcase_create("status");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, health);
	tcase_add_test(tc, ready);
	tcase_add_test(tc, status);
	tcase_add_test(tc, cut_text);
	tcase_add_test(tc, metrics);
	suite_add_tcase(suite, tc);
	return suite;
}
