#include "tests/unit/spoa/suites.h"

#include "spoa/keys.h"
#include "tests/unit/spoa/help.h"
#include "tests/unit/spoa/idp.h"

#include <stdio.h>

static struct idp *idp;
static struct ev_loop *loop;
static ev_async wake;
static struct net *net;
static struct store *store;
static struct spoa_metrics metrics;
static struct spoa_keys *keys;
static unsigned n_changed;
static char dir[64], *good;

static void on_changed(void *arg)
{
	ck_assert_ptr_eq(arg, &n_changed);
	n_changed++;
}

static void on_answer(void *arg)
{
	(void)arg;
	ev_async_send(loop, &wake);
}

static void on_wake(struct ev_loop *l, ev_async *w, int events)
{
	struct net_answer *answer;

	(void)l;
	(void)w;
	(void)events;
	while ((answer = net_take(net)))
		spoa_keys_answer(keys, answer);
}

static void start(void)
{
	keys = spoa_keys_new(loop, net, store, &metrics, on_changed, &n_changed);
	ck_assert_ptr_nonnull(keys);
}

static void setup(void)
{
	char path[100], why[STORE_WHY];

	idp = idp_start();
	loop = ev_loop_new(EVFLAG_AUTO);
	ev_async_init(&wake, on_wake);
	ev_async_start(loop, &wake);
	ck_assert_int_eq(net_new(on_answer, NULL, &net), 0);
	help_mkdir(dir);
	snprintf(path, sizeof(path), "%s/state.db", dir);
	ck_assert_int_eq(store_open(path, &store, why), 0);
	good = test_jwks(test_key_jwk(test_key_of(TOKEN_ES256), "k"), NULL);
	idp_keys(idp, 200, good);
	n_changed = 0;
	start();
}

static void teardown(void)
{
	spoa_keys_free(keys);
	spoa_keys_free(NULL);
	net_free(net);
	store_close(store);
	ev_async_stop(loop, &wake);
	ev_loop_destroy(loop);
	idp_stop(idp);
	help_rmdir(dir);
	free(good);
}

/* Providers of these names, all at the same place. */
static struct spoa_config *config(const char *first, const char *second, const char *path)
{
	const char *names[] = {first, second};
	char yaml[2000];
	size_t n = (size_t)snprintf(yaml, sizeof(yaml), HELP_HEAD "providers:\n");

	for (size_t i = 0; i < 2; i++)
		n += (size_t)snprintf(yaml + n, sizeof(yaml) - n,
			"  - {name: %s, issuer: 'http://127.0.0.1:%d/%s', audiences: [api],\n"
			"     allow_http: true, algorithms: [ES256],\n"
			"     jwks_uri: 'http://127.0.0.1:%d%s'}\n",
			names[i], idp_port(idp), names[i], idp_port(idp), path);
	snprintf(yaml + n, sizeof(yaml) - n, "roles: [{name: r, labels: [a=b], number: 200}]\n");
	return help_config(yaml);
}

static void configure(struct spoa_config *c)
{
	ck_assert_int_eq(spoa_keys_configure(keys, c), 0);
	spoa_config_unref(c);
}

/* Is an answer still to come? A source that waits for one is not asked again. */
static bool busy(void)
{
	json_t *status = spoa_keys_status(keys);
	bool found = false;
	json_t *source;
	size_t i;

	json_array_foreach (status, i, source) {
		const char *state = json_string_value(json_object_get(source, "state"));

		found |= !strcmp(state, "fetching") || !strcmp(state, "refreshing");
	}
	json_decref(status);
	return found;
}

static void on_tick(struct ev_loop *l, ev_timer *timer, int events)
{
	(void)l, (void)timer, (void)events;
}

/* Runs the loop until the provider was asked that often and has answered; ten seconds at most. */
static void wait_for(unsigned hits)
{
	ev_timer tick;

	ev_timer_init(&tick, on_tick, 0.01, 0.01);
	ev_timer_start(loop, &tick);
	for (int i = 0; i < 1000 && (idp_hits(idp) < hits || spoa_keys_missing(keys) || busy());
		i++)
		ev_run(loop, EVRUN_ONCE);
	ev_timer_stop(loop, &tick);
	ck_assert_uint_eq(idp_hits(idp), hits);
	ev_run(loop, EVRUN_NOWAIT);
	ev_run(loop, EVRUN_NOWAIT);
}

START_TEST(fetched_once)
{
	/* Every provider is asked at start; a reload of the same asks nobody and keeps the keys. */
	struct spoa_snapshot *snapshot;
	struct spoa_config *c = config("a", "b", "/keys");

	ck_assert_int_eq(spoa_keys_configure(keys, c), 0);
	ck_assert_uint_eq(spoa_keys_missing(keys), 2);
	ck_assert_uint_eq(n_changed, 0);
	wait_for(2);
	ck_assert_uint_ge(n_changed, 1);
	snapshot = help_snapshot(c);
	ck_assert_int_eq(spoa_keys_fill(keys, snapshot), 0);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_uint_eq(token_keyset_count(snapshot->issuers[i].keys), 1);
		ck_assert_uint_ne(snapshot->ages[i].fetched_at, 0);
		ck_assert_uint_eq(snapshot->ages[i].refresh_from, 0);
	}
	spoa_snapshot_unref(snapshot);
	spoa_config_unref(c);
	configure(config("a", "b", "/keys"));
	ck_assert_uint_eq(spoa_keys_missing(keys), 0);
	wait_for(2);
}
END_TEST

START_TEST(reload)
{
	/* A provider that goes takes its late answer along; a new one starts empty and is asked. */
	configure(config("a", "b", "/keys"));
	configure(config("b", "c", "/keys")); /* the answers of a and b are under way */
	wait_for(3);
	ck_assert_uint_eq(spoa_keys_missing(keys), 0);
	idp_keys(idp, 500, "");
	configure(config("b", "c", "/elsewhere"));
	ck_assert_uint_eq(spoa_keys_missing(keys), 2);
}
END_TEST

START_TEST(need)
{
	/* Exactly the providers of the mask are asked; bits beyond the last do not matter. */
	configure(config("a", "b", "/keys"));
	wait_for(2);
	spoa_keys_need(keys, 2, 0, "");
	wait_for(3);
	spoa_keys_need(keys, UINT64_MAX, 0, "");
	wait_for(5);
}
END_TEST

START_TEST(status_of_remembered)
{
	/* Remembered keys serve after a restart while the provider is down; their age is not made up. */
	json_t *status, *age;

	configure(config("a", "b", "/keys"));
	wait_for(2);
	status = spoa_keys_status(keys);
	ck_assert(json_is_integer(json_object_get(json_array_get(status, 0), "key_age_s")));
	ck_assert_int_le(
		json_integer_value(json_object_get(json_array_get(status, 0), "key_age_s")), 10);
	json_decref(status);
	spoa_keys_free(keys);
	start();
	idp_keys(idp, 500, "");
	configure(config("a", "b", "/keys"));
	ck_assert_uint_eq(spoa_keys_missing(keys), 0);
	status = spoa_keys_status(keys);
	age = json_object_get(json_array_get(status, 0), "key_age_s");
	ck_assert_msg(!age || json_is_null(age), "an age of %lld s", json_integer_value(age));
	json_decref(status);
}
END_TEST

Suite *suite_keys(void)
{
	Suite *suite = suite_create("keys");
	TCase *tc = tcase_create("keys");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, fetched_once);
	tcase_add_test(tc, reload);
	tcase_add_test(tc, need);
	tcase_add_test(tc, status_of_remembered);
	suite_add_tcase(suite, tc);
	return suite;
}
