#include "tests/unit/spoa/suites.h"

#include "spoa/source.h"
#include "tests/unit/spoa/help.h"
#include "tests/unit/spoa/idp.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <unistd.h>

#define ALGS TOKEN_ALG_BIT(TOKEN_ES256)

static struct idp *idp;
static struct ev_loop *loop;
static ev_async wake;
static struct net *net;
static struct spoa_metrics metrics;
static struct spoa_source_env env;
static struct spoa_source *source;
static struct conf *conf;
static unsigned n_changed;
static char dir[64];
static char *good, *other;

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
	while ((answer = net_take(net))) {
		ck_assert_ptr_eq(answer->owner, (void *)(uintptr_t)7);
		spoa_source_answer(source, answer);
		net_answer_free(answer);
	}
}

static void setup(void)
{
	idp = idp_start();
	loop = ev_loop_new(EVFLAG_AUTO);
	ev_async_init(&wake, on_wake);
	ev_async_start(loop, &wake);
	ck_assert_int_eq(net_new(on_answer, NULL, &net), 0);
	metrics = (struct spoa_metrics){0};
	n_changed = 0;
	env = (struct spoa_source_env){
		.loop = loop,
		.net = net,
		.metrics = &metrics,
		.changed = on_changed,
		.arg = &n_changed,
	};
	help_mkdir(dir);
	good = test_jwks(test_key_jwk(test_key_of(TOKEN_ES256), "k"), NULL);
	other = test_jwks(test_key_jwk(test_key_of(TOKEN_ES256), "k1"),
		test_key_jwk(test_key_of(TOKEN_ES256), "k2"), NULL);
}

static void teardown(void)
{
	spoa_source_free(source);
	source = NULL;
	net_free(net);
	store_close(env.store);
	ev_async_stop(loop, &wake);
	ev_loop_destroy(loop);
	conf_free(conf);
	conf = NULL;
	idp_stop(idp);
	help_rmdir(dir);
	free(good);
	free(other);
}

/* A source for a provider whose keys come from: "jwks_uri: ..", "jwks_file: .." or discovery (""). */
static void make(const char *from)
{
	char yaml[1024];

	snprintf(yaml, sizeof(yaml),
		HELP_HEAD "providers:\n  - {name: p, issuer: 'http://127.0.0.1:%d', "
			  "audiences: [api], allow_http: true, algorithms: [ES256]%s%s}\n"
			  "roles: [{name: r, labels: [a=b]}]\n",
		idp_port(idp), *from ? ", " : "", from);
	conf = help_conf(yaml);
	source = spoa_source_new(&env, 7, &conf->providers[0], ALGS);
	ck_assert_ptr_nonnull(source);
	spoa_source_recall(source);
}

static void make_uri(void)
{
	char from[80];

	snprintf(from, sizeof(from), "jwks_uri: 'http://127.0.0.1:%d/keys'", idp_port(idp));
	make(from);
}

static void is_state(enum spoa_source_state state)
{
	ck_assert_str_eq(spoa_source_state_name(source->state), spoa_source_state_name(state));
}

/* Runs the loop until no fetch is under way. */
static void settle(void)
{
	for (int i = 0; i < 1000; i++) {
		if (source->state != SPOA_SOURCE_FETCHING &&
			source->state != SPOA_SOURCE_REFRESHING)
			return;
		ev_run(loop, EVRUN_ONCE);
	}
	ck_abort_msg("the fetch does not end");
}

static void fetch(int status, const char *body)
{
	idp_keys(idp, status, body);
	spoa_source_start(source);
	settle();
}

static uint64_t count(enum spoa_counter c)
{
	return atomic_load(&metrics.counters[c]);
}

START_TEST(from_empty_to_fresh)
{
	/* The first fetch: empty, fetching, fresh; what it brought dates from when it was asked for. */
	struct base_now before, after;

	make_uri();
	is_state(SPOA_SOURCE_EMPTY);
	ck_assert_ptr_null(source->set);
	ck_assert_uint_eq(source->fetched_at, 0);
	base_clock_now(&before);
	idp_keys(idp, 200, good);
	spoa_source_start(source);
	base_clock_now(&after);
	is_state(SPOA_SOURCE_FETCHING);
	spoa_source_start(source); /* once is enough */
	settle();
	is_state(SPOA_SOURCE_FRESH);
	ck_assert_uint_eq(token_keyset_count(source->set), 1);
	ck_assert_uint_ge(source->fetched_at, before.mono_ns);
	ck_assert_uint_le(source->fetched_at, after.mono_ns);
	ck_assert_uint_eq(idp_hits(idp), 1);
	ck_assert_uint_eq(count(SPOA_COUNT_KEY_FETCHES), 1);
	ck_assert_uint_eq(n_changed, 1);
	ck_assert(ev_is_active(&source->timer));
	ck_assert_str_eq(source->why, "");
}
END_TEST

START_TEST(refresh)
{
	/* A refresh replaces the set by the newer one, and the old one serves until then. */
	make_uri();
	fetch(200, good);
	idp_keys(idp, 200, other);
	spoa_source_start(source);
	is_state(SPOA_SOURCE_REFRESHING);
	ck_assert_uint_eq(token_keyset_count(source->set), 1);
	settle();
	is_state(SPOA_SOURCE_FRESH);
	ck_assert_uint_eq(token_keyset_count(source->set), 2);
}
END_TEST

static const struct {
	int status;
	const char *body; /* NULL: the connection closes */
} BAD[] = {
	{200, NULL},
	{200, ""},
	{200, "garbage"},
	{200, "{}"},
	{200, "[]"},
	{200, "{\"keys\":[]}"},
	{200, "{\"keys\":{}}"},
	{200, "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\",\"kid\":\"k\"}]}"},
	{200, "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"k\",\"alg\":\"ES256\","
	      "\"x\":\"d8SeWqtF2tVrr4yh7js-VqK4RuhBKnMxUsNo4W8y-R4\","
	      "\"y\":\"7KtH6TLgUr0SGXabRiNh0kVnwzOtxPtLujbQfHmEmtY\",\"d\":\"AAAA\"}]}"},
	{500, "{}"},
	{404, ""},
	{302, ""},
	{204, ""},
};

START_TEST(bad_answers)
{
	/* Whatever bad the provider answers, good keys stay and none are not replaced by worse. */
	struct token_keyset *set;
	uint64_t fetched_at;

	make_uri();
	fetch(BAD[_i].status, BAD[_i].body);
	is_state(SPOA_SOURCE_EMPTY);
	ck_assert_ptr_null(source->set);
	ck_assert_str_ne(source->why, "");
	ck_assert(ev_is_active(&source->timer));
	fetch(200, good);
	is_state(SPOA_SOURCE_FRESH);
	ck_assert_uint_eq(source->failures, 0);
	set = source->set;
	fetched_at = source->fetched_at;
	for (unsigned i = 0; i < 2; i++) {
		fetch(BAD[_i].status, BAD[_i].body);
		is_state(SPOA_SOURCE_STALE);
		ck_assert_ptr_eq(source->set, set);
		ck_assert_uint_eq(source->fetched_at, fetched_at);
		ck_assert_uint_eq(source->failures, i + 1);
		ck_assert_str_ne(source->why, "");
		ck_assert(ev_is_active(&source->timer));
	}
	ck_assert_uint_eq(count(SPOA_COUNT_KEY_FETCHES_FAILED), 3);
	fetch(200, other);
	is_state(SPOA_SOURCE_FRESH);
	ck_assert_str_eq(source->why, "");
}
END_TEST

START_TEST(error_status_with_keys)
{
	/* Keys behind any status but 200 are no answer. */
	static const int STATUS[] = {500, 404, 403, 302, 201, 206};

	make_uri();
	for (size_t i = 0; i < ARRAY_SIZE(STATUS); i++) {
		fetch(STATUS[i], good);
		is_state(SPOA_SOURCE_EMPTY);
		ck_assert_ptr_null(source->set);
	}
}
END_TEST

START_TEST(allowance)
{
	/* Unknown key ids cause a burst of fetches, then one for each interval, and it says when. */
	struct base_now now;

	make_uri();
	idp_keys(idp, 200, good);
	for (unsigned i = 0; i < SPOA_ALLOWANCE_BURST; i++) {
		base_clock_now(&now);
		ck_assert_uint_eq(spoa_source_may_from(source, false, now.mono_ns), 0);
		spoa_source_need(source, false, "");
		spoa_source_need(source, false, ""); /* under way: costs nothing */
		settle();
	}
	ck_assert_uint_eq(idp_hits(idp), SPOA_ALLOWANCE_BURST);
	n_changed = 0;
	for (unsigned i = 0; i < 100; i++)
		spoa_source_need(source, false, "");
	settle();
	ck_assert_uint_eq(idp_hits(idp), SPOA_ALLOWANCE_BURST);
	ck_assert_uint_eq(n_changed, 100); /* who asked must hear that it is not to be */
	base_clock_now(&now);
	ck_assert_uint_gt(spoa_source_may_from(source, false, now.mono_ns), now.mono_ns);
	ck_assert_uint_le(spoa_source_may_from(source, false, now.mono_ns),
		now.mono_ns + SPOA_ALLOWANCE_INTERVAL_NS);
	source->allowance.at -= SPOA_ALLOWANCE_INTERVAL_NS; /* as if it were later */
	for (unsigned i = 0; i < 100; i++) {
		spoa_source_need(source, false, "");
		settle();
	}
	ck_assert_uint_eq(idp_hits(idp), SPOA_ALLOWANCE_BURST + 1);
	source->allowance.at -= 100 * SPOA_ALLOWANCE_INTERVAL_NS;
	for (unsigned i = 0; i < 100; i++) {
		spoa_source_need(source, false, "");
		settle();
	}
	ck_assert_uint_eq(idp_hits(idp), 2 * SPOA_ALLOWANCE_BURST + 1);
}
END_TEST

START_TEST(doubts_leave_the_rest)
{
	/* Signatures in doubt cause one fetch and leave the rest of the allowance to new key ids. */
	struct base_now now;

	make_uri();
	idp_keys(idp, 200, good);
	for (unsigned i = 0; i < 100; i++) {
		spoa_source_need(source, true, "");
		settle();
	}
	ck_assert_uint_eq(idp_hits(idp), 1);
	base_clock_now(&now);
	ck_assert_uint_gt(spoa_source_may_from(source, true, now.mono_ns), now.mono_ns);
	ck_assert_uint_eq(spoa_source_may_from(source, false, now.mono_ns), 0);
	for (unsigned i = 0; i < 100; i++) {
		spoa_source_need(source, false, "");
		settle();
	}
	ck_assert_uint_eq(idp_hits(idp), SPOA_ALLOWANCE_BURST);
}
END_TEST

START_TEST(moment_of_refresh)
{
	/* At the moment that refresh_from names, and not before, a need fetches. */
	struct base_now now;
	uint64_t from;

	make_uri();
	base_clock_now(&now);
	source->allowance.left = 0.25;
	source->allowance.at = now.mono_ns;
	from = spoa_source_may_from(source, false, now.mono_ns);
	ck_assert_uint_eq(from, now.mono_ns + SPOA_ALLOWANCE_INTERVAL_NS / 4 * 3);
	ck_assert_uint_gt(spoa_source_may_from(source, false, from - 1000), from - 1000);
	ck_assert_uint_le(spoa_source_may_from(source, false, from + 1000), from + 1000);
}
END_TEST

START_TEST(file)
{
	/* A file is read at once and again when told; its keys survive a bad one, no need reads it. */
	char path[100], from[120];

	snprintf(path, sizeof(path), "%s/keys.jwks", dir);
	snprintf(from, sizeof(from), "jwks_file: '%s'", path);
	make(from);
	spoa_source_start(source);
	is_state(SPOA_SOURCE_EMPTY);
	ck_assert_uint_eq(source->fetched_at, 0);
	ck_assert_uint_eq(spoa_source_may_from(source, false, 1), UINT64_MAX);
	help_write(path, good);
	spoa_source_need(source, false, "");
	is_state(SPOA_SOURCE_EMPTY);
	spoa_source_start(source);
	is_state(SPOA_SOURCE_FRESH);
	ck_assert_uint_eq(source->fetched_at, UINT64_MAX);
	ck_assert_uint_eq(spoa_source_may_from(source, false, 1), UINT64_MAX);
	help_write(path, "{\"keys\":[]}");
	spoa_source_start(source);
	is_state(SPOA_SOURCE_STALE);
	ck_assert_uint_eq(token_keyset_count(source->set), 1);
	ck_assert_uint_eq(unlink(path), 0);
	spoa_source_start(source);
	is_state(SPOA_SOURCE_STALE);
	ck_assert_uint_eq(token_keyset_count(source->set), 1);
	ck_assert_uint_eq(source->fetched_at, UINT64_MAX);
	help_write(path, other);
	spoa_source_start(source);
	is_state(SPOA_SOURCE_FRESH);
	ck_assert_uint_eq(token_keyset_count(source->set), 2);
	ck_assert(!ev_is_active(&source->timer));
	ck_assert_uint_eq(idp_hits(idp), 0);
}
END_TEST

START_TEST(discovery)
{
	/* Without an address the issuer's discovery document names it; a wrong one is refused. */
	char text[300];

	make("");
	fetch(200, good);
	is_state(SPOA_SOURCE_EMPTY);
	snprintf(text, sizeof(text),
		"{\"issuer\":\"http://127.0.0.1:%d/\",\"jwks_uri\":\"http://127.0.0.1:%d/keys\"}",
		idp_port(idp), idp_port(idp));
	idp_discovery(idp, text); /* another issuer: a slash more */
	fetch(200, good);
	is_state(SPOA_SOURCE_EMPTY);
	snprintf(text, sizeof(text),
		"{\"issuer\":\"http://127.0.0.1:%d\",\"jwks_uri\":\"http://example.com/keys\"}",
		idp_port(idp));
	idp_discovery(idp, text);
	fetch(200, good);
	is_state(SPOA_SOURCE_EMPTY);
	ck_assert_uint_eq(idp_hits(idp), 0);
	snprintf(text, sizeof(text),
		"{\"issuer\":\"http://127.0.0.1:%d\",\"jwks_uri\":\"http://127.0.0.1:%d/keys\"}",
		idp_port(idp), idp_port(idp));
	idp_discovery(idp, text);
	fetch(200, good);
	is_state(SPOA_SOURCE_FRESH);
	ck_assert_uint_eq(idp_hits(idp), 1);
	idp_discovery(idp, "{}");
	fetch(200, other);
	is_state(SPOA_SOURCE_STALE);
	ck_assert_uint_eq(token_keyset_count(source->set), 1);
}
END_TEST

static void open_store(void)
{
	char path[100];
	char why[STORE_WHY];

	snprintf(path, sizeof(path), "%s/state.db", dir);
	ck_assert_int_eq(store_open(path, &env.store, why), 0);
}

/* The same provider after a restart, from elsewhere if said so. */
static void restart(const char *from)
{
	spoa_source_free(source);
	conf_free(conf);
	if (from)
		make(from);
	else
		make_uri();
}

START_TEST(remembered)
{
	/* After a restart the last good set serves, as stale; a fetch makes it fresh. */
	open_store();
	make_uri();
	is_state(SPOA_SOURCE_EMPTY);
	fetch(200, good);
	fetch(500, "");
	restart(NULL);
	is_state(SPOA_SOURCE_STALE);
	ck_assert_uint_eq(token_keyset_count(source->set), 1);
	ck_assert_uint_eq(source->fetched_at, 0); /* older than whatever comes */
	fetch(500, "");
	is_state(SPOA_SOURCE_STALE);
	fetch(200, other);
	is_state(SPOA_SOURCE_FRESH);
	restart(NULL);
	ck_assert_uint_eq(token_keyset_count(source->set), 2);
}
END_TEST

START_TEST(secrets_are_not_remembered)
{
	/* A set in which the provider publishes a private or symmetric key serves, and is not kept on disk. */
	static const char *const LEAKS[] = {
		"{\"kty\": \"EC\", \"crv\": \"P-256\", \"d\": \"AA\"}",
		"{\"kty\": \"oct\", \"k\": \"AAAA\"}",
	};
	const char *rest = strchr(good, '[');
	char leaky[4096];

	ck_assert_ptr_nonnull(rest);
	snprintf(leaky, sizeof(leaky), "{\"keys\": [%s, %s", LEAKS[_i], rest + 1);
	open_store();
	make_uri();
	fetch(200, leaky);
	is_state(SPOA_SOURCE_FRESH);
	ck_assert_uint_eq(token_keyset_count(source->set), 1);
	restart(NULL);
	is_state(SPOA_SOURCE_EMPTY);
	ck_assert_ptr_null(source->set);
}
END_TEST

START_TEST(remembered_elsewhere)
{
	/* Keys are remembered of where they came from: another address starts without them. */
	open_store();
	make_uri();
	fetch(200, good);
	restart("jwks_uri: 'http://127.0.0.1:1/other'");
	is_state(SPOA_SOURCE_EMPTY);
	ck_assert_ptr_null(source->set);
	restart("");
	is_state(SPOA_SOURCE_EMPTY);
	restart(NULL);
	is_state(SPOA_SOURCE_STALE);
}
END_TEST

/* Changes when the only set in the store was fetched. */
static void age_memory(int64_t seconds)
{
	char command[300];

	store_close(TAKE_PTR(env.store));
	snprintf(command, sizeof(command),
		"python3 -c \"import sqlite3; d = sqlite3.connect('%s/state.db'); "
		"d.execute('UPDATE keys SET fetched_at = fetched_at - %lld'); d.commit()\"",
		dir, (long long)seconds);
	ck_assert_int_eq(system(command), 0);
	open_store();
}

START_TEST(forgotten)
{
	/* A set that was fetched more than a day ago is not taken from the store. */
	open_store();
	make_uri();
	fetch(200, good);
	age_memory(24 * 3600 - 60);
	restart(NULL);
	is_state(SPOA_SOURCE_STALE);
	age_memory(120);
	restart(NULL);
	is_state(SPOA_SOURCE_EMPTY);
	ck_assert_ptr_null(source->set);
}
END_TEST

/* Did the last request for keys carry this line? */
static bool asked_with(const char *line)
{
	cleanup(free) char *head = idp_last_head(idp);

	return strstr(head, line) != NULL;
}

START_TEST(etag)
{
	/* An ETag is asked with as long as its set serves; "not modified" is as good as the set. */
	struct token_keyset *set;
	uint64_t fetched_at;

	open_store();
	make_uri();
	idp_headers(idp, "ETag: \"one\"\r\n");
	fetch(200, good);
	ck_assert(!asked_with("If-None-Match"));
	set = source->set;
	fetched_at = source->fetched_at;
	fetch(304, "");
	ck_assert(asked_with("If-None-Match: \"one\"\r\n"));
	is_state(SPOA_SOURCE_FRESH);
	ck_assert_ptr_eq(source->set, set);
	ck_assert_uint_gt(source->fetched_at, fetched_at);
	ck_assert_uint_eq(count(SPOA_COUNT_KEY_FETCHES), 2);
	/* A bad set with a new ETag changes neither. */
	idp_headers(idp, "ETag: \"two\"\r\n");
	fetch(200, "{}");
	is_state(SPOA_SOURCE_STALE);
	fetch(304, "");
	ck_assert(asked_with("If-None-Match: \"one\"\r\n"));
	is_state(SPOA_SOURCE_FRESH);
	/* A good one without takes it away; then "not modified" is no answer. */
	idp_headers(idp, "");
	fetch(200, other);
	fetch(304, "");
	ck_assert(!asked_with("If-None-Match"));
	is_state(SPOA_SOURCE_STALE);
	ck_assert_uint_eq(token_keyset_count(source->set), 2);
}
END_TEST

START_TEST(touched)
{
	/* "Not modified" makes the remembered set young again. */
	open_store();
	make_uri();
	idp_headers(idp, "ETag: \"one\"\r\n");
	fetch(200, good);
	age_memory(24 * 3600 - 60);
	fetch(304, "");
	age_memory(120);
	restart(NULL);
	is_state(SPOA_SOURCE_STALE);
}
END_TEST

static const struct {
	const char *headers;
	double low, high; /* seconds to the next fetch */
} LIFETIMES[] = {
	{"", 7 * 60, 9 * 60}, /* refresh: 10m */
	{"Cache-Control: max-age=300\r\n", 300 * .7, 300 * .9},
	{"Cache-Control: max-age=300\r\nAge: 100\r\n", 200 * .7, 200 * .9},
	{"Cache-Control: max-age=1\r\n", 60 * .7, 60 * .9},
	{"Cache-Control: no-store\r\n", 60 * .7, 60 * .9},
	{"Cache-Control: max-age=60\r\nAge: 5000\r\n", 60 * .7, 60 * .9},
	{"Cache-Control: max-age=999999\r\n", 3600 * .7, 3600 * .9},
};

START_TEST(lifetimes)
{
	/* The provider says how long its keys may be kept, within bounds; they are renewed at 70 to 90 %. */
	double left;

	make_uri();
	idp_headers(idp, LIFETIMES[_i].headers);
	fetch(200, good);
	left = ev_timer_remaining(loop, &source->timer);
	ck_assert_msg(left > LIFETIMES[_i].low - 2. && left < LIFETIMES[_i].high, "%f", left);
}
END_TEST

START_TEST(jitter)
{
	/* Many agents do not come at once: no two waits are equal, and none is out of bounds. */
	double first = 0., low = 1e9, high = 0.;

	make_uri();
	for (int i = 0; i < 40; i++) {
		double left;

		fetch(200, good);
		left = ev_timer_remaining(loop, &source->timer);
		first = first ? first : left;
		low = left < low ? left : low;
		high = left > high ? left : high;
	}
	ck_assert(low < high - 10.);
	ck_assert(low > 600 * .7 - 2. && high < 600 * .9);
}
END_TEST

/* Runs the loop until the source is in this state; at most seconds. */
static void wait_for(enum spoa_source_state state, unsigned seconds)
{
	struct base_now begun, now;

	base_clock_now(&begun);
	do {
		ev_run(loop, EVRUN_NOWAIT);
		usleep(5000);
		base_clock_now(&now);
	} while (source->state != state &&
		 now.mono_ns - begun.mono_ns < seconds * (uint64_t)NS_PER_S);
	is_state(state);
}

START_TEST(hard_lifetime)
{
	/* Keys that nobody confirms end: expired, and 503; a fetch brings them back, "not modified" not. */
	char from[100];

	snprintf(from, sizeof(from),
		"keep: 1s, refresh: 1s, refresh_min: 1s, jwks_uri: 'http://127.0.0.1:%d/keys'",
		idp_port(idp));
	make(from);
	idp_headers(idp, "ETag: \"one\"\r\n");
	fetch(200, good);
	idp_keys(idp, 500, "");
	wait_for(SPOA_SOURCE_EXPIRED, 4);
	ck_assert_ptr_null(source->set);
	ck_assert_uint_eq(source->fetched_at, 0);
	fetch(500, "");
	is_state(SPOA_SOURCE_EXPIRED); /* not empty: there were keys */
	fetch(304, "");
	ck_assert(!asked_with("If-None-Match"));
	is_state(SPOA_SOURCE_EXPIRED);
	fetch(200, good);
	is_state(SPOA_SOURCE_FRESH);
	ck_assert_uint_eq(token_keyset_count(source->set), 1);
}
END_TEST

START_TEST(confirmed)
{
	/* Keys that are confirmed in time do not end. */
	char from[100];

	snprintf(from, sizeof(from), "keep: 1s, refresh: 1s, jwks_uri: 'http://127.0.0.1:%d/keys'",
		idp_port(idp));
	make(from);
	fetch(200, good);
	for (int i = 0; i < 4; i++) {
		usleep(400000);
		fetch(200, good);
		is_state(SPOA_SOURCE_FRESH);
	}
}
END_TEST

START_TEST(token_file)
{
	/* The bearer token is read anew for each fetch; without a proper one nothing is asked. */
	char path[100], from[256];

	snprintf(path, sizeof(path), "%s/token", dir);
	snprintf(from, sizeof(from), "jwks_token_file: '%s', jwks_uri: 'http://127.0.0.1:%d/keys'",
		path, idp_port(idp));
	make(from);
	fetch(200, good);
	is_state(SPOA_SOURCE_EMPTY);
	ck_assert_ptr_nonnull(strstr(source->why, "jwks_token_file"));
	help_write(path, "two words\n");
	fetch(200, good);
	is_state(SPOA_SOURCE_EMPTY);
	help_write(path, "");
	fetch(200, good);
	is_state(SPOA_SOURCE_EMPTY);
	ck_assert_uint_eq(idp_hits(idp), 0);
	help_write(path, "first.token\n");
	fetch(200, good);
	is_state(SPOA_SOURCE_FRESH);
	ck_assert(asked_with("Authorization: Bearer first.token\r\n"));
	ck_assert(asked_with("Accept: application/jwk-set+json, application/json\r\n"));
	help_write(path, "second.token");
	fetch(200, good);
	ck_assert(asked_with("Authorization: Bearer second.token\r\n"));
}
END_TEST

#define KID_1 "01234567-89ab-cdef-0123-456789abcdef"
#define KID_2 "11111111-1111-1111-1111-111111111111"

static char *public_pem(void)
{
	BIO *to = BIO_new(BIO_s_mem());
	char *text = NULL;
	long n;

	ck_assert_int_eq(PEM_write_bio_PUBKEY(to, test_key_of(TOKEN_ES256)->pkey), 1);
	n = BIO_get_mem_data(to, &text);
	text = strndup(text, (size_t)n);
	BIO_free(to);
	return text;
}

static void need_kid(const char *kid, int status, const char *body)
{
	idp_keys(idp, status, body);
	spoa_source_need(source, false, kid);
	settle();
}

START_TEST(one_by_one)
{
	/* A provider of one file for each key id: only ids of that shape become part of a URL. */
	static const char *const ODD[] = {"", "k", "../../../../../../../../../etc/passwd!!",
		"01234567-89AB-cdef-0123-456789abcdef", "01234567-89ab-cdef-0123-456789abcde",
		"01234567-89ab-cdef-0123-456789abcdef0", "01234567/89ab-cdef-0123-456789abcdef"};
	cleanup(free) char *pem = public_pem();
	char from[100];

	snprintf(from, sizeof(from), "pem_uri: 'http://127.0.0.1:%d/keys/'", idp_port(idp));
	make(from);
	ck_assert(spoa_source_on_demand(source));
	spoa_source_start(source); /* there is nothing to ask for yet */
	for (size_t i = 0; i < ARRAY_SIZE(ODD); i++)
		need_kid(ODD[i], 200, pem);
	is_state(SPOA_SOURCE_EMPTY);
	ck_assert_uint_eq(idp_hits(idp), 0);
	need_kid(KID_1, 200, pem);
	is_state(SPOA_SOURCE_FRESH);
	ck_assert(asked_with("GET /keys/" KID_1 " HTTP"));
	ck_assert_uint_eq(token_keyset_count(source->set), 1);
	ck_assert(span_is(token_keyset_at(source->set, 0)->kid, KID_1));
	/* One that is not there is known to be absent, and takes nothing away. */
	need_kid(KID_2, 404, "");
	is_state(SPOA_SOURCE_FRESH);
	ck_assert_str_eq(source->absent[0].kid, KID_2);
	ck_assert_uint_gt(source->absent[0].asked_at, 0);
	ck_assert_uint_eq(token_keyset_count(source->set), 1);
	/* A failure is no word about it, and no key is lost. */
	source->allowance.left = SPOA_ALLOWANCE_BURST;
	need_kid(KID_2, 200, "rubbish");
	is_state(SPOA_SOURCE_STALE);
	ck_assert_uint_eq(token_keyset_count(source->set), 1);
	need_kid(KID_2, 200, pem);
	is_state(SPOA_SOURCE_FRESH);
	ck_assert_uint_eq(token_keyset_count(source->set), 2);
}
END_TEST

START_TEST(queue)
{
	/* Key ids that come while one is asked for wait for their turn, within the allowance. */
	cleanup(free) char *pem = public_pem();
	char from[100];

	snprintf(from, sizeof(from), "pem_uri: 'http://127.0.0.1:%d/keys/'", idp_port(idp));
	make(from);
	idp_keys(idp, 200, pem);
	spoa_source_need(source, false, KID_1);
	spoa_source_need(source, false, KID_1);
	for (int i = 0; i < 30; i++) {
		char kid[] = KID_2;

		kid[0] = (char)('a' + i % 3);
		spoa_source_need(source, false, kid);
	}
	for (int i = 0; i < 10; i++)
		settle();
	ck_assert_uint_eq(idp_hits(idp), SPOA_ALLOWANCE_BURST);
	ck_assert_uint_eq(token_keyset_count(source->set), SPOA_ALLOWANCE_BURST);
}
END_TEST

START_TEST(fits)
{
	/* A provider that is reached in another way is another one. */
	static const char *const OTHERS[] = {"keep: 2h", "networks: [10.0.0.0/8]",
		"proxy: 'http://p:1'", "jwks_token_file: /t", "ca_file: /c"};
	struct conf *mine;

	make("");
	mine = TAKE_PTR(conf);
	for (size_t i = 0; i < ARRAY_SIZE(OTHERS); i++) {
		struct spoa_source *before = TAKE_PTR(source);

		make(OTHERS[i]);
		ck_assert_msg(
			!spoa_source_fits(before, &conf->providers[0], ALGS), "%s", OTHERS[i]);
		spoa_source_free(source);
		source = before;
		conf_free(TAKE_PTR(conf));
	}
	conf = mine;
	ck_assert(spoa_source_fits(source, &conf->providers[0], ALGS));
}
END_TEST

static void add_managed(TCase *tc)
{
	tcase_add_test(tc, etag);
	tcase_add_test(tc, touched);
	tcase_add_loop_test(tc, lifetimes, 0, ARRAY_SIZE(LIFETIMES));
	tcase_add_test(tc, jitter);
	tcase_add_test(tc, hard_lifetime);
	tcase_add_test(tc, confirmed);
	tcase_add_test(tc, token_file);
	tcase_add_test(tc, one_by_one);
	tcase_add_test(tc, queue);
	tcase_add_test(tc, fits);
}

Suite *suite_source(void)
{
	Suite *suite = suite_create("source");
	TCase *tc = tcase_create("source");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, from_empty_to_fresh);
	tcase_add_test(tc, refresh);
	tcase_add_loop_test(tc, bad_answers, 0, ARRAY_SIZE(BAD));
	tcase_add_test(tc, error_status_with_keys);
	tcase_add_test(tc, allowance);
	tcase_add_test(tc, doubts_leave_the_rest);
	tcase_add_test(tc, moment_of_refresh);
	tcase_add_test(tc, file);
	tcase_add_test(tc, discovery);
	tcase_add_test(tc, remembered);
	tcase_add_loop_test(tc, secrets_are_not_remembered, 0, 2);
	tcase_add_test(tc, remembered_elsewhere);
	tcase_add_test(tc, forgotten);
	add_managed(tc);
	suite_add_tcase(suite, tc);
	return suite;
}
