#include "bpfmap/bpfmap.h"

#include "bpfmap/state.h"
#include "tests/unit/bpfmap/kernel.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

Suite *suite_bpfmap(void);

/* Allocations left before one fails; negative: none does. */
static int allocations = -1;

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);

void *__wrap_calloc(size_t n, size_t size)
{
	return allocations >= 0 && allocations-- == 0 ? NULL : __real_calloc(n, size);
}

char *__wrap_strdup(const char *text)
{
	return allocations >= 0 && allocations-- == 0 ? NULL : __real_strdup(text);
}

static const struct bpfmap_flow_key some_key = {
	.remote_addr = {192, 0, 2, 1},
	.local_addr = {192, 0, 2, 2},
	.remote_port = 40000,
	.local_port = 443,
	.family = BPFMAP_FAMILY_IPV4,
};

static struct bpfmap_flow bind_some(
	struct bpfmap *map, const struct bpfmap_binding *binding, enum bpfmap_bound expected)
{
	enum bpfmap_bound bound;
	struct bpfmap_flow flow = {0};

	ck_assert_int_eq(bpfmap_flow_bind(map, &some_key, binding, &bound), 0);
	ck_assert_int_eq(bound, expected);
	if (expected != BPFMAP_UNBOUND)
		ck_assert_int_eq(bpfmap_flow_get(map, &some_key, &flow), 0);
	return flow;
}

START_TEST(one_connection_s_life)
{
	/* Goal: unbound, bound, unchanged, refreshed, shared, and shared for ever. */
	const struct bpfmap_flow fresh = {.cookie = 42};
	struct bpfmap_binding binding = {.identity = 7, .subject = 70, .expires = 99};
	struct bpfmap_flow flow;
	struct bpfmap *map;

	kernel_load(NULL, 0, 16);
	map = kernel_open();
	bind_some(map, &binding, BPFMAP_UNBOUND);
	ck_assert_uint_eq(kernel_count_flows(), 0);
	kernel_put(&some_key, &fresh);
	flow = bind_some(map, &binding, BPFMAP_BOUND);
	ck_assert_uint_eq(flow.identity, 7);
	ck_assert_uint_eq(flow.cookie, 42);
	bind_some(map, &binding, BPFMAP_UNCHANGED);
	binding.expires = 199;
	binding.kill = true;
	flow = bind_some(map, &binding, BPFMAP_BOUND);
	ck_assert_uint_eq(flow.expires, 199);
	ck_assert_uint_eq(flow.flags, BPFMAP_FLOW_KILL);
	binding.subject = 71;
	flow = bind_some(map, &binding, BPFMAP_SHARED);
	ck_assert_uint_eq(flow.identity, 0);
	ck_assert_uint_eq(flow.flags, BPFMAP_FLOW_SHARED);
	ck_assert_uint_eq(flow.subject, 0);
	ck_assert_uint_eq(flow.expires, 0);
	ck_assert_uint_eq(flow.cookie, 42);
	binding.subject = 70;
	flow = bind_some(map, &binding, BPFMAP_SHARED);
	ck_assert_uint_eq(flow.identity, 0);
	bpfmap_close(map);
}
END_TEST

START_TEST(unchanged_runs_nothing)
{
	/* Goal: what is there already takes one lookup: without the program it still succeeds. */
	const struct bpfmap_flow bound_before = {.identity = 7, .subject = 70, .cookie = 42};
	const struct bpfmap_binding binding = {.identity = 7, .subject = 70};
	struct bpfmap_binding other = {.identity = 8, .subject = 70};
	enum bpfmap_bound bound = BPFMAP_UNBOUND;
	struct bpfmap *map;

	kernel_load(NULL, 0, 16);
	map = kernel_open();
	kernel_put(&some_key, &bound_before);
	close(map->update_fd);
	map->update_fd = -1;
	bind_some(map, &binding, BPFMAP_UNCHANGED);
	/* And a change that fails is an error, with the output untouched. */
	bound = BPFMAP_UNBOUND;
	ck_assert_int_eq(bpfmap_flow_bind(map, &some_key, &other, &bound), -EBADF);
	ck_assert_int_eq(bound, BPFMAP_UNBOUND);
	bpfmap_close(map);
}
END_TEST

START_TEST(nobody_is_no_binding)
{
	/* Goal: identity 0 and subject 0 mean nobody and are refused. */
	const struct bpfmap_flow fresh = {.cookie = 42};
	const struct bpfmap_binding bad[] = {{.identity = 7}, {.subject = 70}, {0}};
	enum bpfmap_bound bound;
	struct bpfmap *map;

	kernel_load(NULL, 0, 16);
	map = kernel_open();
	kernel_put(&some_key, &fresh);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_int_eq(bpfmap_flow_bind(map, &some_key, &bad[i], &bound), -EINVAL);
	bpfmap_close(map);
}
END_TEST

struct racer {
	struct bpfmap *map;
	pthread_barrier_t *start;
	uint64_t subject;
};

static void *race(void *arg)
{
	const struct racer *racer = arg;
	const struct bpfmap_binding binding = {.identity = 7, .subject = racer->subject};
	enum bpfmap_bound bound;
	int err;

	pthread_barrier_wait(racer->start);
	err = bpfmap_flow_bind(racer->map, &some_key, &binding, &bound);
	return err || bound == BPFMAP_UNBOUND ? (void *)1 : NULL;
}

START_TEST(two_threads_never_lose_shared)
{
	/* Goal: two subjects bound at the same moment always end as shared. */
	const struct bpfmap_flow fresh = {.cookie = 42};
	struct bpfmap_flow flow;
	pthread_barrier_t start;
	struct racer racers[2];
	pthread_t threads[2];
	struct bpfmap *map;
	void *failed;

	kernel_load(NULL, 0, 16);
	map = kernel_open();
	pthread_barrier_init(&start, NULL, 2);
	for (int round = 0; round < 1000; round++) {
		kernel_put(&some_key, &fresh);
		for (uint64_t i = 0; i < 2; i++) {
			racers[i] = (struct racer){map, &start, 70 + i};
			pthread_create(&threads[i], NULL, race, &racers[i]);
		}
		for (int i = 0; i < 2; i++) {
			pthread_join(threads[i], &failed);
			ck_assert_ptr_null(failed);
		}
		ck_assert_int_eq(bpfmap_flow_get(map, &some_key, &flow), 0);
		ck_assert_msg(flow.flags == BPFMAP_FLOW_SHARED, "round %d", round);
	}
	pthread_barrier_destroy(&start);
	bpfmap_close(map);
}
END_TEST

static int bind_through_pin(void *arg)
{
	const struct bpfmap_flow_key *key = arg;
	const struct bpfmap_binding binding = {.identity = 7, .subject = 70};
	struct bpfmap_status status;
	enum bpfmap_bound bound;
	char why[BPFMAP_WHY] = "";
	struct bpfmap *map;

	if (bpfmap_open(kernel.bpf, &map, why)) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}
	if (bpfmap_flow_bind(map, key, &binding, &bound) || bound != BPFMAP_BOUND)
		return 2;
	if (bpfmap_status(map, &status) || !status.attached || status.max_flows != 16)
		return 3;
	bpfmap_close(map);
	return 0;
}

START_TEST(without_capabilities)
{
	/* Goal: a process with no capability and no new ones binds a real connection. */
	struct bpfmap_flow flow;
	struct connection c;
	struct bpfmap *map;
	int listener;

	kernel_load(NULL, 0, 16);
	map = kernel_open();
	listener = kernel_listen(kernel.cgroup, "127.0.0.1");
	c = kernel_connect(listener, "127.0.0.1", 0);
	ck_assert(kernel_wait_entry(map, &c.key, true));
	ck_assert_int_eq(
		kernel_unprivileged(KERNEL_USER, KERNEL_GROUP, bind_through_pin, &c.key), 0);
	ck_assert_int_eq(bpfmap_flow_get(map, &c.key, &flow), 0);
	ck_assert_uint_eq(flow.identity, 7);
	ck_assert_uint_eq(flow.cookie, c.cookie);
	kernel_close(&c);
	ck_assert(kernel_wait_entry(map, &c.key, false));
	close(listener);
	bpfmap_close(map);
}
END_TEST

static int open_refused(void *arg)
{
	char why[BPFMAP_WHY] = "";
	struct bpfmap *map = NULL;

	(void)arg;
	return bpfmap_open(kernel.bpf, &map, why) == -EACCES && !map && why[0] ? 0 : 1;
}

START_TEST(outsiders)
{
	/* Goal: who is not in the group is refused by the folder, and by the pin alone too. */
	kernel_load(NULL, 0, 16);
	if (_i)
		ck_assert_int_eq(chmod(kernel.bpf, 0755), 0);
	ck_assert_int_eq(kernel_unprivileged(KERNEL_NOBODY, KERNEL_NOBODY, open_refused, NULL), 0);
}
END_TEST

START_TEST(open_refuses)
{
	/* Goal: a missing pin, another layout and another version are told apart. */
	static const struct bpfmap_settings other = {.version = 99};
	char why[BPFMAP_WHY] = "", path[PATH_MAX];
	struct bpfmap *map = NULL;
	const uint32_t zero = 0;
	int fd;

	ck_assert_int_eq(bpfmap_open(kernel.bpf, &map, why), -ENOENT);
	kernel_pin_map(BPFMAP_PIN_FLOWS, BPF_MAP_TYPE_HASH, 24, 24, 9);
	ck_assert_int_eq(bpfmap_open(kernel.bpf, &map, why), -EPROTO);
	ck_assert_ptr_nonnull(strstr(why, "key 40"));
	ck_assert_ptr_nonnull(strstr(why, "key 24"));
	ck_assert_int_eq(bpfmap_pin_path(kernel.bpf, BPFMAP_PIN_FLOWS, path), 0);
	ck_assert_int_eq(unlink(path), 0);
	kernel_load(NULL, 0, 16);
	ck_assert_int_eq(bpfmap_pin_path(kernel.bpf, BPFMAP_PIN_SETTINGS, path), 0);
	fd = bpf_obj_get(path);
	ck_assert_int_eq(bpf_map_update_elem(fd, &zero, &other, 0), 0);
	ck_assert_int_eq(bpfmap_open(kernel.bpf, &map, why), -EPROTO);
	ck_assert_ptr_nonnull(strstr(why, "99"));
	ck_assert_ptr_null(map);
	close(fd);
}
END_TEST

START_TEST(out_of_memory)
{
	/* Goal: every allocation that fails is -ENOMEM, leaks nothing, touches no output. */
	struct bpfmap_status status = {.max_flows = 12345};
	char why[BPFMAP_WHY] = "";
	struct bpfmap *map = NULL;
	int failures = 0;

	kernel_load(NULL, 0, 16);
	for (allocations = 0; bpfmap_open(kernel.bpf, &map, why) == -ENOMEM; failures++) {
		ck_assert_ptr_null(map);
		allocations = failures + 1;
	}
	ck_assert_int_eq(failures, 2);
	ck_assert_ptr_nonnull(map);
	allocations = 0;
	ck_assert_int_eq(bpfmap_status(map, &status), -ENOMEM);
	ck_assert_uint_eq(status.max_flows, 12345);
	allocations = -1;
	ck_assert_int_eq(bpfmap_status(map, &status), 0);
	bpfmap_close(map);
	bpfmap_close(NULL);
}
END_TEST

Suite *suite_bpfmap(void)
{
	Suite *suite = suite_create("bpfmap/bpfmap");
	TCase *tcase = tcase_create("all");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, kernel_setup, kernel_teardown);
	tcase_add_test(tcase, one_connection_s_life);
	tcase_add_test(tcase, unchanged_runs_nothing);
	tcase_add_test(tcase, nobody_is_no_binding);
	tcase_add_test(tcase, two_threads_never_lose_shared);
	tcase_add_test(tcase, without_capabilities);
	tcase_add_loop_test(tcase, outsiders, 0, 2);
	tcase_add_test(tcase, open_refuses);
	tcase_add_test(tcase, out_of_memory);
	suite_add_tcase(suite, tcase);
	return suite;
}
