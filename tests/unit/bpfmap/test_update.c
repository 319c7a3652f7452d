/* The program that changes one flow, and what is built on it. */
#include "bpfmap/state.h"
#include "bpfmap/sweep.h"
#include "tests/unit/bpfmap/kernel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

Suite *suite_update(void);

#define COOKIE  0x1234567890abcdefULL
#define SHARED  BPFMAP_FLOW_SHARED
#define REVOKED BPFMAP_FLOW_REVOKED
#define KILL    BPFMAP_FLOW_KILL

#define F(i, f, e, s)                                                                              \
	{                                                                                          \
		.cookie = COOKIE, .expires = (e), .subject = (s), .identity = (i), .flags = (f)    \
	}

#define W(i, s, e, k)                                                                              \
	{                                                                                          \
		.identity = (i), .subject = (s), .expires = (e), .kill = (k)                       \
	}

#define B(e)                                                                                       \
	{                                                                                          \
		.identity = 7, .subject = 70, .expires = (e), .kill = true                         \
	}

static const struct {
	const char *name;
	struct bpfmap_flow now;
	struct bpfmap_binding binding;
	enum bpfmap_bound bound;
	struct bpfmap_flow next;
} merges[] = {
	{"first", F(0, 0, 0, 0), W(7, 70, 0, false), BPFMAP_BOUND, F(7, 0, 0, 70)},
	{"first, with expiry", F(0, 0, 0, 0), W(7, 70, 99, true), BPFMAP_BOUND, F(7, KILL, 99, 70)},
	{"again", F(7, KILL, 99, 70), W(7, 70, 99, true), BPFMAP_UNCHANGED, F(7, KILL, 99, 70)},
	{"refreshed token", F(7, KILL, 99, 70), W(7, 70, 199, true), BPFMAP_BOUND,
		F(7, KILL, 199, 70)},
	{"another role", F(7, KILL, 99, 70), W(8, 70, 99, true), BPFMAP_BOUND, F(8, KILL, 99, 70)},
	{"no kill any more", F(7, KILL, 99, 70), W(7, 70, 99, false), BPFMAP_BOUND,
		F(7, 0, 99, 70)},
	{"another subject", F(7, KILL, 99, 70), W(7, 71, 99, true), BPFMAP_SHARED,
		F(0, SHARED, 0, 0)},
	{"shared stays, third subject", F(0, SHARED, 0, 0), W(7, 72, 99, true), BPFMAP_SHARED,
		F(0, SHARED, 0, 0)},
	{"revoked stays for the same subject", F(7, REVOKED, 99, 70), W(7, 70, 199, false),
		BPFMAP_BOUND, F(7, REVOKED, 199, 70)},
	{"revoked stays for another subject", F(7, REVOKED, 99, 70), W(7, 71, 99, false),
		BPFMAP_SHARED, F(0, SHARED | REVOKED, 0, 0)},
	{"subject without identity, the same", F(0, 0, 0, 70), W(7, 70, 0, false), BPFMAP_BOUND,
		F(7, 0, 0, 70)},
};

static const struct bpfmap_flow_key some_key = {
	.remote_addr = {192, 0, 2, 1},
	.local_addr = {192, 0, 2, 2},
	.remote_port = 40000,
	.local_port = 443,
	.family = BPFMAP_FAMILY_IPV4,
};

START_TEST(merge_every_case)
{
	/* Goal: every state of an entry meets every kind of binding as the header says. */
	enum bpfmap_bound bound = BPFMAP_UNBOUND;
	struct bpfmap_flow next;
	struct bpfmap *map;

	kernel_load(NULL, 0, 16);
	map = kernel_open();
	for (size_t i = 0; i < ARRAY_SIZE(merges); i++) {
		kernel_put(&some_key, &merges[i].now);
		ck_assert_int_eq(bpfmap_flow_bind(map, &some_key, &merges[i].binding, &bound), 0);
		ck_assert_msg(bound == merges[i].bound, "%s", merges[i].name);
		ck_assert_int_eq(bpfmap_flow_get(map, &some_key, &next), 0);
		ck_assert_msg(!memcmp(&next, &merges[i].next, sizeof(next)), "%s", merges[i].name);
	}
	bpfmap_close(map);
}
END_TEST

START_TEST(another_token_of_the_subject)
{
	/* Goal: the entry has the newest token's hashes; a second subject takes them away. */
	struct bpfmap_binding binding = {
		.identity = 7, .subject = 70, .token = {1, 2, 3, 4, 5}, .issued = 6};
	const struct bpfmap_flow fresh = {.cookie = COOKIE};
	enum bpfmap_bound bound;
	struct bpfmap_flow flow;
	struct bpfmap *map;

	kernel_load(NULL, 0, 16);
	map = kernel_open();
	kernel_put(&some_key, &fresh);
	ck_assert_int_eq(bpfmap_flow_bind(map, &some_key, &binding, &bound), 0);
	for (int i = 0; i < BPFMAP_TOKEN_FIELDS; i++) {
		binding.token[i] += 100;
		ck_assert_int_eq(bpfmap_flow_bind(map, &some_key, &binding, &bound), 0);
		ck_assert_int_eq(bound, BPFMAP_BOUND);
		ck_assert_int_eq(bpfmap_flow_get(map, &some_key, &flow), 0);
		ck_assert_mem_eq(flow.token, binding.token, sizeof(flow.token));
		ck_assert_int_eq(flow.issued, 6);
	}
	binding.subject = 71;
	ck_assert_int_eq(bpfmap_flow_bind(map, &some_key, &binding, &bound), 0);
	ck_assert_int_eq(bpfmap_flow_get(map, &some_key, &flow), 0);
	for (int i = 0; i < BPFMAP_TOKEN_FIELDS; i++)
		ck_assert_uint_eq(flow.token[i], 0);
	ck_assert_int_eq(flow.issued, 0);
	bpfmap_close(map);
}
END_TEST

START_TEST(due_is_the_earliest_kill)
{
	/* Goal: only an expiry that kills is noted, the earliest wins, and expire forgets it. */
	static const struct bpfmap_binding bindings[] = {
		{.identity = 7, .subject = 70, .expires = 50}, B(900), B(800), B(850)};
	static const uint64_t due[] = {0, 900, 800, 800};
	const struct bpfmap_flow fresh = {.cookie = COOKIE};
	enum bpfmap_bound bound;
	struct bpfmap *map;
	uint64_t when = 1;

	kernel_load(NULL, 0, 16);
	map = kernel_open();
	for (size_t i = 0; i < ARRAY_SIZE(bindings); i++) {
		kernel_put(&some_key, &fresh);
		ck_assert_int_eq(bpfmap_flow_bind(map, &some_key, &bindings[i], &bound), 0);
		ck_assert_int_eq(bpfmap_due(map, &when), 0);
		ck_assert_uint_eq(when, due[i]);
	}
	ck_assert_int_eq(bpfmap_expire(map), 0);
	ck_assert_int_eq(bpfmap_due(map, &when), 0);
	ck_assert_uint_eq(when, 0); /* there is no such socket */
	bpfmap_close(map);
}
END_TEST

static struct bpfmap_flow_key key_number(unsigned i)
{
	struct bpfmap_flow_key key = some_key;

	key.remote_port = (uint16_t)i;
	return key;
}

/* Flows 0 to n - 1: sub 100 + i, iss 1, sid 50 + i / 10, iat i, identity 7 or 8 in turn; 5 is shared. */
static void put_flows(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct bpfmap_flow_key key = key_number(i);
		struct bpfmap_flow flow = {.cookie = 1 + i,
			.subject = 100 + i,
			.token = {1, 100 + i, 50 + i / 10, 7000 + i, 0},
			.issued = i,
			.identity = 7 + i % 2};

		if (i == 5)
			flow = (struct bpfmap_flow){.cookie = 1 + i, .flags = SHARED};
		kernel_put(&key, &flow);
	}
}

static unsigned count_revoked(struct bpfmap *map, unsigned n)
{
	struct bpfmap_flow flow;
	unsigned found = 0;

	for (unsigned i = 0; i < n; i++) {
		struct bpfmap_flow_key key = key_number(i);

		ck_assert_int_eq(bpfmap_flow_get(map, &key, &flow), 0);
		found += !!(flow.flags & REVOKED);
	}
	return found;
}

#define MANY 9000 /* more than one batch */

#define TOKEN(i, s, d, j, c)                                                                       \
	{                                                                                          \
		i, s, d, j, c                                                                      \
	}

static const struct {
	const char *name;
	struct bpfmap_revocation list[4];
	unsigned n, revoked;
} revocations[] = {
	{"three subs, a stranger and the shared one's",
		{{TOKEN(0, 100, 0, 0, 0), 0}, {TOKEN(1, 100 + MANY - 1, 0, 0, 0), 0},
			{TOKEN(0, 999999, 0, 0, 0), 0}, {TOKEN(0, 105, 0, 0, 0), 0}},
		4, 2},
	{"a session", {{TOKEN(1, 0, 52, 0, 0), 0}}, 1, 10},
	{"a session of another issuer", {{TOKEN(2, 0, 52, 0, 0), 0}}, 1, 0},
	{"a session and a sub of another", {{TOKEN(0, 100, 52, 0, 0), 0}}, 1, 0},
	{"one token", {{TOKEN(0, 0, 0, 7042, 0), 0}}, 1, 1},
	{"an issuer's tokens from before", {{TOKEN(1, 0, 0, 0, 0), 100}}, 1, 99},
	{"a client that nobody has", {{TOKEN(0, 0, 0, 0, 9), 0}}, 1, 0},
	{"an earlier one of the sub and all of it",
		{{TOKEN(0, 200, 0, 0, 0), 1}, {TOKEN(0, 200, 0, 0, 0), 0}}, 2, 1},
};

START_TEST(revoke_names_them)
{
	/* Goal: a flow is revoked when all that one revocation says is true of its token. */
	struct bpfmap *map;
	unsigned n = 0;

	kernel_load(NULL, 0, MANY);
	map = kernel_open();
	put_flows(MANY);
	ck_assert_int_eq(bpfmap_revoke(map, revocations[_i].list, revocations[_i].n, &n), 0);
	ck_assert_msg(n == revocations[_i].revoked, "%s: %u", revocations[_i].name, n);
	ck_assert_uint_eq(count_revoked(map, MANY), n);
	ck_assert_int_eq(bpfmap_revoke(map, revocations[_i].list, revocations[_i].n, &n), 0);
	ck_assert_uint_eq(n, 0);
	bpfmap_close(map);
}
END_TEST

START_TEST(revoke_by_identity_and_flow)
{
	/* Goal: one connection, all of an identity; what names nothing is refused. */
	const struct bpfmap_revocation nothing = {.issued_before = 9};
	struct bpfmap_flow_key key = key_number(3);
	struct bpfmap *map;
	unsigned n = 9;

	kernel_load(NULL, 0, 64);
	map = kernel_open();
	put_flows(64);
	ck_assert_int_eq(bpfmap_revoke_flow(map, &key, &n), 0);
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(bpfmap_revoke_identity(map, 8, &n), 0);
	ck_assert_uint_eq(n, 30); /* without 3, which is, and 5, which is shared */
	ck_assert_int_eq(bpfmap_revoke_identity(map, 0, &n), -EINVAL);
	ck_assert_int_eq(bpfmap_revoke(map, &nothing, 1, &n), -EINVAL);
	key.remote_port = 65535;
	ck_assert_int_eq(bpfmap_revoke_flow(map, &key, &n), 0);
	ck_assert_uint_eq(n, 0);
	bpfmap_close(map);
}
END_TEST

static uint64_t boot_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

/* Is the client told that its connection is gone? */
static bool is_dead(const struct connection *c)
{
	char byte;

	for (int i = 0; i < 200; i++) {
		ssize_t n = recv(c->client, &byte, 1, MSG_DONTWAIT);

		if (n == 0 || (n < 0 && errno != EAGAIN))
			return true;
		usleep(1000);
	}
	return false;
}

static int kill_as_agent(void *arg)
{
	char why[BPFMAP_WHY];
	struct bpfmap *map;

	(void)arg;
	return bpfmap_open(kernel.bpf, &map, why) || bpfmap_expire(map) ? 1 : 0;
}

/* listen, connect, and what makes it die: 0 revoked, 1 expired, 2 expired without KILL, 3 shared */
static const char *const ways[][2] = {
	{"127.0.0.1", "127.0.0.1"}, {"::1", "::1"}, {"::", "127.0.0.1"}, {"::", "::1"}};

START_TEST(kill_ends_those)
{
	/* Goal: an agent without rights ends revoked and expired connections, IPv4, IPv6 and
	 * mapped; those without KILL, shared ones and innocent ones go on. */
	const int listener = kernel_listen(kernel.cgroup, ways[_i][0]);
	struct bpfmap_status status;
	struct connection c[5];
	struct bpfmap *map;
	uint64_t due = 0;

	kernel_load(NULL, 0, 16);
	map = kernel_open();
	for (unsigned i = 0; i < ARRAY_SIZE(c); i++) {
		const struct bpfmap_binding binding = {.identity = 7,
			.subject = 70 + i,
			.expires = i == 4 ? boot_ns() + 600000000000U : boot_ns(),
			.kill = i == 1 || i == 3 || i == 4};
		enum bpfmap_bound bound;
		unsigned n = 0;

		c[i] = kernel_connect(listener, ways[_i][1], 0);
		ck_assert_int_eq(bpfmap_flow_bind(map, &c[i].key, &binding, &bound), 0);
		ck_assert_int_eq(bound, BPFMAP_BOUND);
		if (i == 0)
			ck_assert_int_eq(bpfmap_revoke_flow(map, &c[i].key, &n), 0);
		ck_assert_uint_eq(n, i == 0);
	}
	const struct bpfmap_binding another = {.identity = 7, .subject = 1};
	enum bpfmap_bound bound;

	ck_assert_int_eq(bpfmap_flow_bind(map, &c[3].key, &another, &bound), 0);
	ck_assert_int_eq(bound, BPFMAP_SHARED);
	ck_assert_int_eq(kernel_unprivileged(KERNEL_USER, KERNEL_GROUP, kill_as_agent, NULL), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(c); i++) {
		ck_assert_msg(is_dead(&c[i]) == (i < 2), "connection %u", i);
		if (i < 2)
			ck_assert(kernel_wait_entry(map, &c[i].key, false));
		kernel_close(&c[i]);
	}
	ck_assert_int_eq(bpfmap_status(map, &status), 0);
	ck_assert_uint_eq(status.counters[BPFMAP_COUNT_KILLED], 2);
	/* The one of ten minutes is noted again. */
	ck_assert_int_eq(bpfmap_due(map, &due), 0);
	ck_assert_uint_gt(due, boot_ns());
	close(listener);
	bpfmap_close(map);
}
END_TEST

#define PIECES 40

START_TEST(kill_in_pieces)
{
	/* Goal: a pass that is read in pieces ends no more than about as many each time, and all
	 * of them in the end; the innocent one goes on. */
	const int listener = kernel_listen(kernel.cgroup, "127.0.0.1");
	struct connection c[PIECES + 1];
	unsigned n, sum = 0;
	struct bpfmap *map;
	int fd = -1, rc;

	kernel_load(NULL, 0, 64);
	map = kernel_open();
	for (int i = 0; i <= PIECES; i++) {
		c[i] = kernel_connect(listener, "127.0.0.1", 0);
		ck_assert(kernel_wait_entry(map, &c[i].key, true));
		if (i < PIECES)
			ck_assert_int_eq(bpfmap_revoke_flow(map, &c[i].key, &n), 0);
	}
	ck_assert_int_eq(bpfmap_kill_begin(map, &fd), 0);
	do {
		rc = bpfmap_kill_some(fd, 7, &n);
		ck_assert_int_ge(rc, 0);
		ck_assert_uint_le(n, 10);
		ck_assert(rc == 0 || n >= 7);
		sum += n;
	} while (rc);
	close(fd);
	ck_assert_uint_eq(sum, PIECES);
	ck_assert_int_eq(bpfmap_kill_begin(map, &fd), 0);
	ck_assert_int_eq(bpfmap_kill_some(fd, 7, &n), 0);
	ck_assert_uint_eq(n, 0);
	close(fd);
	for (int i = 0; i <= PIECES; i++) {
		ck_assert_int_eq(is_dead(&c[i]), i < PIECES);
		kernel_close(&c[i]);
	}
	close(listener);
	bpfmap_close(map);
}
END_TEST

START_TEST(reconcile_removes_the_dead)
{
	/* Goal: an entry without a socket goes after two looks, one with a socket stays, and so
	 * does one of another network namespace. */
	struct bpfmap_flow_key dead = key_number(1), foreign = key_number(2);
	struct bpfmap_flow flow;
	struct connection c;
	struct bpfmap *map;
	unsigned n = 9;
	int listener;

	kernel_load(NULL, 0, 16);
	map = kernel_open();
	listener = kernel_listen(kernel.cgroup, "127.0.0.1");
	c = kernel_connect(listener, "127.0.0.1", 0);
	ck_assert_int_eq(bpfmap_flow_get(map, &c.key, &flow), 0);
	ck_assert_uint_ne(flow.netns, 0);
	kernel_put(&dead, &flow);
	flow.netns++;
	kernel_put(&foreign, &flow);
	ck_assert_int_eq(bpfmap_reconcile(map, &n), 0);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(bpfmap_reconcile(map, &n), 0);
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(bpfmap_flow_get(map, &dead, &flow), -ENOENT);
	ck_assert_int_eq(bpfmap_flow_get(map, &foreign, &flow), 0);
	ck_assert_int_eq(bpfmap_flow_get(map, &c.key, &flow), 0);
	kernel_close(&c);
	close(listener);
	bpfmap_close(map);
}
END_TEST

START_TEST(seeded)
{
	/* Goal: a connection older than the program gets an entry, and loses it at its close. */
	uint16_t port;
	int listener = kernel_listen(kernel.cgroup, ways[_i][0]);
	struct connection c = kernel_connect(listener, ways[_i][1], 0);
	struct bpfmap_flow flow;
	struct bpfmap *map;

	port = kernel_port(listener);
	ck_assert_uint_eq(kernel_load(&port, 1, 16).n_seeded, 1);
	map = kernel_open();
	ck_assert_int_eq(bpfmap_flow_get(map, &c.key, &flow), 0);
	ck_assert_uint_eq(flow.cookie, c.cookie);
	ck_assert_uint_eq(kernel_load(&port, 1, 16).n_seeded, 0);
	kernel_close(&c);
	/* Linux 6.12 tells us of the close; before that two looks find it. */
	if (!kernel_wait_entry(map, &c.key, false)) {
		unsigned n;

		ck_assert_int_eq(bpfmap_reconcile(map, &n), 0);
		ck_assert_int_eq(bpfmap_reconcile(map, &n), 0);
	}
	ck_assert_int_eq(bpfmap_flow_get(map, &c.key, &flow), -ENOENT);
	close(listener);
	bpfmap_close(map);
}
END_TEST

Suite *suite_update(void)
{
	Suite *suite = suite_create("bpfmap/update");
	TCase *tcase = tcase_create("all");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, kernel_setup, kernel_teardown);
	tcase_add_test(tcase, merge_every_case);
	tcase_add_test(tcase, another_token_of_the_subject);
	tcase_add_test(tcase, due_is_the_earliest_kill);
	tcase_add_loop_test(tcase, revoke_names_them, 0, ARRAY_SIZE(revocations));
	tcase_add_test(tcase, revoke_by_identity_and_flow);
	tcase_add_loop_test(tcase, kill_ends_those, 0, ARRAY_SIZE(ways));
	tcase_add_test(tcase, kill_in_pieces);
	tcase_add_test(tcase, reconcile_removes_the_dead);
	tcase_add_loop_test(tcase, seeded, 0, ARRAY_SIZE(ways));
	suite_add_tcase(suite, tcase);
	return suite;
}
