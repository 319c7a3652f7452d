#include "tests/unit/spoa/suites.h"

#include "spoa/introspect.h"
#include "tests/unit/spoa/help.h"
#include "tests/unit/spoa/idp.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

static struct idp *idp;
static struct net *net;
static struct spoa_introspect *in;
static struct spoa_metrics metrics;
static struct spoa_config *config;
static unsigned n_changed;
static atomic_uint n_woken;
static int answered = -1;
static char dir[64], secret[100], buf[1024];

static void on_net(void *arg)
{
	(void)arg;
	if (eventfd_write(answered, 1))
		abort();
}

static void on_changed(void *arg)
{
	ck_assert_ptr_eq(arg, &n_changed);
	n_changed++;
}

static void on_wake(void *arg)
{
	(void)arg;
	atomic_fetch_add(&n_woken, 1);
}

/* One provider that is asked at this URL. */
static void ask_at(const char *url, const char *more)
{
	char yaml[2000];

	snprintf(yaml, sizeof(yaml),
		HELP_HEAD "providers:\n"
			  "  - {name: p, issuer: 'https://p', audiences: [api], introspection:\n"
			  "     {url: '%s', client_id: me, client_secret_file: %s%s}}\n"
			  "roles: [{name: r, labels: [a=b], number: 200}]\n",
		url, secret, more);
	if (config)
		spoa_config_unref(config);
	config = help_config(yaml);
}

static void setup(void)
{
	char url[80];

	idp = idp_start();
	idp_discovery(idp, "{\"active\":true,\"aud\":\"api\"}");
	answered = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ck_assert_int_eq(net_new(on_net, NULL, &net), 0);
	help_mkdir(dir);
	snprintf(secret, sizeof(secret), "%s/secret", dir);
	help_write(secret, "hush\n");
	metrics = (struct spoa_metrics){0};
	n_changed = 0;
	atomic_store(&n_woken, 0);
	in = spoa_introspect_new(net, &metrics, on_changed, on_wake, &n_changed);
	ck_assert_ptr_nonnull(in);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/ask", idp_port(idp));
	ask_at(url, "");
}

static void teardown(void)
{
	net_free(net);
	spoa_introspect_free(in);
	spoa_introspect_free(NULL);
	spoa_config_unref(TAKE_PTR(config));
	idp_stop(idp);
	close(answered);
	help_rmdir(dir);
}

static struct spoa_results_key key(unsigned token)
{
	struct spoa_results_key k = {.origin = config->origins[0]};

	memcpy(k.hash, &token, sizeof(token));
	return k;
}

static void want(unsigned token)
{
	struct spoa_results_key k = key(token);

	spoa_introspect_want(in, config, 0, &k, SPAN("the-token"));
}

static enum spoa_said said(unsigned token)
{
	struct spoa_results_key k = key(token);
	struct spoa_result result;
	struct base_now now;

	base_clock_now(&now);
	return spoa_results_find(
		spoa_introspect_results(in), &k, now.boot_ns, buf, sizeof(buf), &result);
}

/* Takes answers until this token's is there. */
static void settle(unsigned token)
{
	for (int i = 0; i < 500 && said(token) == SPOA_SAID_PENDING; i++) {
		struct pollfd fd = {.fd = answered, .events = POLLIN};
		struct net_answer *answer;
		eventfd_t n;

		poll(&fd, 1, 20);
		eventfd_read(answered, &n);
		while ((answer = net_take(net))) {
			ck_assert(spoa_introspect_answer(in, answer));
			net_answer_free(answer);
		}
	}
}

static uint64_t count(enum spoa_counter c)
{
	return atomic_load(&metrics.counters[c]);
}

START_TEST(asked_once)
{
	/* However many want it, a token is asked about once, and all find the answer. */
	cleanup(free) char *head = NULL;

	for (int i = 0; i < 50; i++)
		want(1);
	ck_assert_uint_eq(atomic_load(&n_woken), 1);
	spoa_introspect_send(in);
	ck_assert_int_eq(said(1), SPOA_SAID_PENDING);
	settle(1);
	ck_assert_int_eq(said(1), SPOA_SAID_ACTIVE);
	ck_assert_uint_eq(n_changed, 1);
	ck_assert_uint_eq(count(SPOA_COUNT_INTROSPECTED_ACTIVE), 1);
	want(1);
	ck_assert_uint_eq(atomic_load(&n_woken), 1);
	head = idp_last_head(idp);
	ck_assert_int_eq(strncmp(head, "POST /ask ", 10), 0);
	ck_assert_ptr_nonnull(strstr(head, "Authorization: Basic bWU6aHVzaA==\r\n"));
	ck_assert_ptr_nonnull(strstr(head, "token=the-token&token_type_hint=access_token"));
}
END_TEST

static const struct {
	const char *answer;
	enum spoa_said want;
	enum spoa_counter counter;
} ANSWERS[] = {
	{"{\"active\":false}", SPOA_SAID_INACTIVE, SPOA_COUNT_INTROSPECTED_INACTIVE},
	{"{\"active\":\"yes\"}", SPOA_SAID_FAILED, SPOA_COUNT_INTROSPECTED_FAILED},
	{"", SPOA_SAID_FAILED, SPOA_COUNT_INTROSPECTED_FAILED},
	{"{\"active\":true,\"exp\":5}", SPOA_SAID_ACTIVE, SPOA_COUNT_INTROSPECTED_ACTIVE},
};

START_TEST(answers)
{
	/* Yes, no, and what is neither; one that expired already is heard once. */
	idp_discovery(idp, ANSWERS[_i].answer);
	want(1);
	spoa_introspect_send(in);
	settle(1);
	ck_assert_int_eq(said(1), ANSWERS[_i].want);
	ck_assert_uint_eq(count(ANSWERS[_i].counter), 1);
}
END_TEST

START_TEST(nobody_there)
{
	/* A provider that is not there, or a secret that is not, is a failure and soon asked again. */
	ask_at("http://127.0.0.1:1/ask", "");
	want(1);
	spoa_introspect_send(in);
	settle(1);
	ck_assert_int_eq(said(1), SPOA_SAID_FAILED);
	unlink(secret);
	want(2);
	spoa_introspect_send(in);
	ck_assert_int_eq(said(2), SPOA_SAID_FAILED);
	ck_assert_uint_eq(n_changed, 2);
	usleep(1100000);
	ck_assert_int_eq(said(2), SPOA_SAID_NOTHING);
}
END_TEST

START_TEST(bounded)
{
	/* A flood of tokens: so many are asked about, so many wait, the rest fail at once. */
	unsigned failed = 0;
	unsigned n = SPOA_INTROSPECT_WAITING + 100;

	for (unsigned i = 0; i < n; i++)
		want(i);
	for (unsigned i = 0; i < n; i++)
		failed += said(i) == SPOA_SAID_FAILED;
	ck_assert_uint_eq(failed, 100);
	spoa_introspect_send(in);
	/* As many places are free now as one provider may take. */
	for (unsigned i = n; i < n + 100; i++)
		want(i);
	failed = 0;
	for (unsigned i = n; i < n + 100; i++)
		failed += said(i) == SPOA_SAID_FAILED;
	ck_assert_uint_eq(failed, 100 - SPOA_INTROSPECT_EACH);
}
END_TEST

START_TEST(configuration_goes)
{
	/* A reload while an answer is under way: the exchange keeps what it needs, the word counts. */
	struct spoa_results_key k = key(1);
	struct spoa_result result;
	struct base_now now;

	want(1);
	spoa_introspect_send(in);
	ask_at("http://127.0.0.1:1/other", "");
	ck_assert_uint_ne(config->origins[0], k.origin); /* asked elsewhere: another word */
	base_clock_now(&now);
	for (int i = 0; i < 200 && spoa_results_find(spoa_introspect_results(in), &k, now.boot_ns,
					   buf, sizeof(buf), &result) == SPOA_SAID_PENDING;
		i++) {
		struct net_answer *answer = net_take(net);

		if (answer) {
			ck_assert(spoa_introspect_answer(in, answer));
			net_answer_free(answer);
		}
		usleep(5000);
	}
	ck_assert_int_eq(result.said, SPOA_SAID_ACTIVE);
	ck_assert_int_eq(said(1), SPOA_SAID_NOTHING);
}
END_TEST

START_TEST(origins)
{
	/* Goal: an origin is one provider asked in one way; parts of any length, no part in another's place. */
	static char longer[10000], ab[] = "ab", x[] = "a", y[] = "b";
	struct conf_provider a = {.name = x, .issuer = y}, b = {.name = ab};
	struct conf_provider c = {.name = x, .issuer = longer};
	uint64_t of_c;

	ck_assert_uint_ne(spoa_introspect_origin(&a), spoa_introspect_origin(&b));
	memset(longer, 'x', sizeof(longer) - 1);
	of_c = spoa_introspect_origin(&c);
	longer[sizeof(longer) - 2] = 'y';
	ck_assert_uint_ne(spoa_introspect_origin(&c), of_c);
	longer[sizeof(longer) - 2] = 'x';
	ck_assert_uint_eq(spoa_introspect_origin(&c), of_c);
}
END_TEST

START_TEST(not_ours)
{
	/* An answer to somebody else's request is left alone. */
	struct net_answer answer = {.owner = (void *)7, .status = 200};

	ck_assert(!spoa_introspect_answer(in, &answer));
}
END_TEST

Suite *suite_introspect(void)
{
	Suite *suite = suite_create("introspect");
	TCase *tc = tcase_create("introspect");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, asked_once);
	tcase_add_loop_test(tc, answers, 0, ARRAY_SIZE(ANSWERS));
	tcase_add_test(tc, nobody_there);
	tcase_add_test(tc, bounded);
	tcase_add_test(tc, configuration_goes);
	tcase_add_test(tc, origins);
	tcase_add_test(tc, not_ours);
	suite_add_tcase(suite, tc);
	return suite;
}
