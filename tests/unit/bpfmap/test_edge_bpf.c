/* The kernel program, by real connections. */
#include "bpfmap/pin.h"
#include "tests/unit/bpfmap/kernel.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

Suite *suite_edge_bpf(void);

static const uint8_t loopback4[16] = {127, 0, 0, 1};
static const uint8_t loopback6[16] = {[15] = 1};

static const struct {
	const char *listen, *connect;
	uint8_t family;
	const uint8_t *address;
} ways[] = {
	{"127.0.0.1", "127.0.0.1", BPFMAP_FAMILY_IPV4, loopback4},
	{"::1", "::1", BPFMAP_FAMILY_IPV6, loopback6},
	{"::", "127.0.0.1", BPFMAP_FAMILY_IPV4, loopback4},
	{"::", "::1", BPFMAP_FAMILY_IPV6, loopback6},
};

START_TEST(entry_appears_and_goes)
{
	/* Goal: every kind of connection has an entry under the right key while it is open. */
	struct bpfmap_flow flow = {.identity = 1};
	struct bpfmap_status status;
	struct bpfmap_flow_key key;
	struct connection c;
	struct bpfmap *map;
	int listener;

	kernel_load(NULL, 0, 16);
	map = kernel_open();
	listener = kernel_listen(kernel.cgroup, ways[_i].listen);
	c = kernel_connect(listener, ways[_i].connect, 0);
	memset(&key, 0, sizeof(key));
	memcpy(key.remote_addr, ways[_i].address, 16);
	memcpy(key.local_addr, ways[_i].address, 16);
	key.remote_port = kernel_port(c.client);
	key.local_port = kernel_port(listener);
	key.family = ways[_i].family;
	ck_assert(kernel_wait_entry(map, &key, true));
	ck_assert_int_eq(bpfmap_flow_get(map, &key, &flow), 0);
	ck_assert_uint_eq(flow.identity, 0);
	ck_assert_uint_eq(flow.flags, 0);
	ck_assert_uint_eq(flow.subject, 0);
	ck_assert_uint_eq(flow.cookie, c.cookie);
	ck_assert_uint_eq(kernel_count_flows(), 1);
	/* What the agent makes of the addresses is the same key. */
	ck_assert_mem_eq(&c.key, &key, sizeof(key));
	kernel_close(&c);
	ck_assert(kernel_wait_entry(map, &key, false));
	ck_assert_int_eq(bpfmap_status(map, &status), 0);
	ck_assert_uint_eq(status.counters[BPFMAP_COUNT_FLOWS_OPENED], 1);
	ck_assert_uint_eq(status.counters[BPFMAP_COUNT_FLOWS_CLOSED], 1);
	ck_assert_uint_eq(status.counters[BPFMAP_COUNT_FLOWS_FULL], 0);
	close(listener);
	bpfmap_close(map);
}
END_TEST

START_TEST(every_way_to_close)
{
	/* Goal: close by client first, by server first, and by reset all remove the entry. */
	struct connection c;
	struct bpfmap *map;
	int listener;

	kernel_load(NULL, 0, 16);
	map = kernel_open();
	listener = kernel_listen(kernel.cgroup, "127.0.0.1");
	c = kernel_connect(listener, "127.0.0.1", 0);
	ck_assert(kernel_wait_entry(map, &c.key, true));
	if (_i == 0) {
		kernel_close(&c);
	} else if (_i == 1) {
		close(c.server);
		close(c.client);
	} else {
		kernel_reset(&c);
	}
	ck_assert(kernel_wait_entry(map, &c.key, false));
	close(listener);
	bpfmap_close(map);
}
END_TEST

START_TEST(only_listed_ports)
{
	/* Goal: with a list only its ports make entries; a close asks for no list. */
	uint16_t ports[BPFMAP_PORTS_MAX];
	struct connection listed, other;
	struct bpfmap *map;
	int a = kernel_listen(kernel.cgroup, "127.0.0.1");
	int b = kernel_listen(kernel.cgroup, "127.0.0.1");

	for (size_t i = 0; i < ARRAY_SIZE(ports); i++)
		ports[i] = (uint16_t)(1 + i);
	ports[_i] = kernel_port(a);
	kernel_load(ports, ARRAY_SIZE(ports), 16);
	map = kernel_open();
	listed = kernel_connect(a, "127.0.0.1", 0);
	other = kernel_connect(b, "127.0.0.1", 0);
	ck_assert(kernel_wait_entry(map, &listed.key, true));
	ck_assert_uint_eq(kernel_count_flows(), 1);
	ports[_i] = kernel_port(b);
	ck_assert(kernel_load(ports, ARRAY_SIZE(ports), 16).settings_written);
	kernel_close(&listed);
	ck_assert(kernel_wait_entry(map, &listed.key, false));
	kernel_close(&other);
	close(a);
	close(b);
	bpfmap_close(map);
}
END_TEST

START_TEST(number_of_ports_bounds_the_list)
{
	/* Goal: a port behind n_ports does not count. */
	struct bpfmap_settings settings = {.version = BPFMAP_ABI_VERSION, .n_ports = 1};
	const uint32_t zero = 0;
	char path[PATH_MAX];
	struct bpfmap *map;
	struct connection c;
	int listener = kernel_listen(kernel.cgroup, "127.0.0.1");
	int fd;

	kernel_load(NULL, 0, 16);
	settings.ports[0] = 1;
	settings.ports[1] = kernel_port(listener);
	ck_assert_int_eq(bpfmap_pin_path(kernel.bpf, BPFMAP_PIN_SETTINGS, path), 0);
	fd = bpf_obj_get(path);
	ck_assert_int_eq(bpf_map_update_elem(fd, &zero, &settings, BPF_EXIST), 0);
	close(fd);
	map = kernel_open();
	c = kernel_connect(listener, "127.0.0.1", 0);
	usleep(20000);
	ck_assert_uint_eq(kernel_count_flows(), 0);
	kernel_close(&c);
	close(listener);
	bpfmap_close(map);
}
END_TEST

START_TEST(other_version_does_nothing)
{
	/* Goal: settings of another ABI version say nothing, so no entry is made. */
	const struct bpfmap_settings settings = {.version = BPFMAP_ABI_VERSION + 1};
	const uint32_t zero = 0;
	char path[PATH_MAX];
	struct connection c;
	int listener = kernel_listen(kernel.cgroup, "127.0.0.1");
	int fd;

	kernel_load(NULL, 0, 16);
	ck_assert_int_eq(bpfmap_pin_path(kernel.bpf, BPFMAP_PIN_SETTINGS, path), 0);
	fd = bpf_obj_get(path);
	ck_assert_int_eq(bpf_map_update_elem(fd, &zero, &settings, BPF_EXIST), 0);
	close(fd);
	c = kernel_connect(listener, "127.0.0.1", 0);
	usleep(20000);
	ck_assert_uint_eq(kernel_count_flows(), 0);
	kernel_close(&c);
	close(listener);
}
END_TEST

START_TEST(other_cgroups_do_not_count)
{
	/* Goal: a listener outside the cgroup makes no entry, even if we accept it inside. */
	struct connection c;
	struct bpfmap *map;
	char other[320];
	int listener;

	kernel_load(NULL, 0, 16);
	map = kernel_open();
	kernel_make_cgroup("outside", other);
	listener = kernel_listen(other, "127.0.0.1");
	c = kernel_connect(listener, "127.0.0.1", 0);
	usleep(20000);
	ck_assert_uint_eq(kernel_count_flows(), 0);
	kernel_close(&c);
	close(listener);
	bpfmap_close(map);
	rmdir(other);
}
END_TEST

START_TEST(full_map)
{
	/* Goal: a connection that finds no room is counted and told apart, not an eviction. */
	const struct bpfmap_binding binding = {.identity = 7, .subject = 70};
	struct bpfmap_status status;
	struct connection c[5];
	enum bpfmap_bound bound;
	struct bpfmap *map;
	int listener;

	kernel_load(NULL, 0, 4);
	map = kernel_open();
	listener = kernel_listen(kernel.cgroup, "127.0.0.1");
	for (size_t i = 0; i < ARRAY_SIZE(c); i++)
		c[i] = kernel_connect(listener, "127.0.0.1", 0);
	ck_assert_int_eq(bpfmap_status(map, &status), 0);
	ck_assert_uint_eq(status.max_flows, 4);
	ck_assert_uint_eq(status.counters[BPFMAP_COUNT_FLOWS_OPENED], 4);
	ck_assert_uint_eq(status.counters[BPFMAP_COUNT_FLOWS_FULL], 1);
	for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
		int err = bpfmap_flow_bind(map, &c[i].key, &binding, &bound);

		ck_assert_int_eq(err, i < 4 ? 0 : -E2BIG);
	}
	for (size_t i = 0; i < ARRAY_SIZE(c); i++)
		kernel_reset(&c[i]);
	ck_assert(kernel_wait_entry(map, &c[3].key, false));
	ck_assert_uint_eq(kernel_count_flows(), 0);
	/* Closed, it is one of the many that nobody tracks. */
	ck_assert_int_eq(bpfmap_flow_bind(map, &c[4].key, &binding, &bound), 0);
	ck_assert_int_eq(bound, BPFMAP_UNBOUND);
	ck_assert_int_eq(bpfmap_status(map, &status), 0);
	ck_assert_uint_eq(status.counters[BPFMAP_COUNT_FLOWS_CLOSED], 4);
	close(listener);
	bpfmap_close(map);
}
END_TEST

/* Whoever else runs here takes its ports of 127.0.0.1: one of these is ours for two connections. */
#define OWN_ADDRESS "127.7.7.7"

START_TEST(same_pair_again)
{
	/* Goal: the next connection of the same pair inherits nothing from the last. */
	const struct bpfmap_binding binding = {.identity = 7, .subject = 70};
	struct bpfmap_flow flow;
	enum bpfmap_bound bound;
	struct connection c;
	struct bpfmap *map;
	uint64_t last = 0;
	uint16_t port = 0;
	int listener;

	kernel_load(NULL, 0, 16);
	map = kernel_open();
	listener = kernel_listen(kernel.cgroup, OWN_ADDRESS);
	for (int i = 0; i < 20; i++) {
		c = kernel_connect(listener, OWN_ADDRESS, port);
		port = kernel_port(c.client);
		ck_assert(kernel_wait_entry(map, &c.key, true));
		ck_assert_int_eq(bpfmap_flow_get(map, &c.key, &flow), 0);
		ck_assert_uint_eq(flow.identity, 0);
		ck_assert_uint_eq(flow.cookie, c.cookie);
		ck_assert_uint_ne(flow.cookie, last);
		last = flow.cookie;
		ck_assert_int_eq(bpfmap_flow_bind(map, &c.key, &binding, &bound), 0);
		ck_assert_int_eq(bound, BPFMAP_BOUND);
		kernel_reset(&c);
		ck_assert(kernel_wait_entry(map, &c.key, false));
	}
	close(listener);
	bpfmap_close(map);
}
END_TEST

START_TEST(leftover_of_the_pair)
{
	/* Goal: an entry that was left under the pair is overwritten when a connection opens. */
	const struct bpfmap_flow old = {.identity = 7, .subject = 70, .cookie = 1};
	struct bpfmap_flow flow;
	struct connection c;
	struct bpfmap *map;
	uint16_t port;
	int listener;

	kernel_load(NULL, 0, 16);
	map = kernel_open();
	listener = kernel_listen(kernel.cgroup, OWN_ADDRESS);
	c = kernel_connect(listener, OWN_ADDRESS, 0);
	port = kernel_port(c.client);
	kernel_reset(&c);
	ck_assert(kernel_wait_entry(map, &c.key, false));
	kernel_put(&c.key, &old);
	c = kernel_connect(listener, OWN_ADDRESS, port);
	ck_assert_int_eq(bpfmap_flow_get(map, &c.key, &flow), 0);
	ck_assert_uint_eq(flow.identity, 0);
	ck_assert_uint_eq(flow.cookie, c.cookie);
	kernel_reset(&c);
	ck_assert(kernel_wait_entry(map, &c.key, false));
	close(listener);
	bpfmap_close(map);
}
END_TEST

START_TEST(close_of_another_socket)
{
	/* Goal: a close takes only the entry that carries its own cookie. */
	struct bpfmap_flow flow;
	struct connection c;
	struct bpfmap *map;
	int listener;

	kernel_load(NULL, 0, 16);
	map = kernel_open();
	listener = kernel_listen(kernel.cgroup, "127.0.0.1");
	c = kernel_connect(listener, "127.0.0.1", 0);
	ck_assert(kernel_wait_entry(map, &c.key, true));
	flow = (struct bpfmap_flow){.cookie = c.cookie + 1};
	kernel_put(&c.key, &flow);
	kernel_reset(&c);
	usleep(50000);
	ck_assert_int_eq(bpfmap_flow_get(map, &c.key, &flow), 0);
	close(listener);
	bpfmap_close(map);
}
END_TEST

START_TEST(two_thousand)
{
	/* Goal: two thousand connections (make soak: as many as it says), closed in two ways,
	 * leave nothing behind. */
	const char *wanted = getenv("IDENTITYD_SOAK");
	const int rounds = wanted ? atoi(wanted) / 100 : 20;
	struct bpfmap_status status;
	struct connection c[100];
	struct bpfmap *map;
	int listener;

	kernel_load(NULL, 0, 128);
	map = kernel_open();
	listener = kernel_listen(kernel.cgroup, "127.0.0.1");
	for (int round = 0; round < rounds; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(c); i++)
			c[i] = kernel_connect(listener, "127.0.0.1", 0);
		ck_assert_uint_eq(kernel_count_flows(), ARRAY_SIZE(c));
		for (size_t i = 0; i < ARRAY_SIZE(c); i++)
			(i % 2 ? kernel_reset : kernel_close)(&c[i]);
		for (int i = 0; i < 200 && kernel_count_flows(); i++)
			usleep(5000);
		ck_assert_uint_eq(kernel_count_flows(), 0);
	}
	ck_assert_int_eq(bpfmap_status(map, &status), 0);
	ck_assert_uint_eq(status.counters[BPFMAP_COUNT_FLOWS_OPENED], (unsigned)rounds * 100);
	ck_assert_uint_eq(status.counters[BPFMAP_COUNT_FLOWS_CLOSED], (unsigned)rounds * 100);
	close(listener);
	bpfmap_close(map);
}
END_TEST

START_TEST(bpftool_reads_it)
{
	/* Goal: a tool that is not ours shows the entry, field by field. */
	const struct bpfmap_binding binding = {.identity = 4711, .subject = 70};
	char command[256], text[8192] = "", port[64];
	enum bpfmap_bound bound;
	struct connection c;
	struct bpfmap *map;
	FILE *tool;
	int listener;

	kernel_load(NULL, 0, 16);
	map = kernel_open();
	listener = kernel_listen(kernel.cgroup, "127.0.0.1");
	c = kernel_connect(listener, "127.0.0.1", 0);
	ck_assert_int_eq(bpfmap_flow_bind(map, &c.key, &binding, &bound), 0);
	snprintf(command, sizeof(command), "PATH=$PATH:/usr/sbin bpftool map dump pinned %s/flows",
		kernel.bpf);
	tool = popen(command, "r");
	ck_assert_ptr_nonnull(tool);
	ck_assert_uint_gt(fread(text, 1, sizeof(text) - 1, tool), 0);
	ck_assert_int_eq(pclose(tool), 0);
	snprintf(port, sizeof(port), "\"remote_port\": %u", c.key.remote_port);
	ck_assert_msg(strstr(text, port) != NULL, "%s", text);
	ck_assert_msg(strstr(text, "\"identity\": 4711") != NULL, "%s", text);
	kernel_close(&c);
	close(listener);
	bpfmap_close(map);
}
END_TEST

Suite *suite_edge_bpf(void)
{
	Suite *suite = suite_create("bpfmap/edge.bpf");
	TCase *tcase = tcase_create("all");

	tcase_set_timeout(tcase, getenv("IDENTITYD_SOAK") ? 1800 : 60);
	tcase_add_checked_fixture(tcase, kernel_setup, kernel_teardown);
	tcase_add_loop_test(tcase, entry_appears_and_goes, 0, ARRAY_SIZE(ways));
	tcase_add_loop_test(tcase, every_way_to_close, 0, 3);
	tcase_add_loop_test(tcase, only_listed_ports, 0, BPFMAP_PORTS_MAX);
	tcase_add_test(tcase, number_of_ports_bounds_the_list);
	tcase_add_test(tcase, other_version_does_nothing);
	tcase_add_test(tcase, other_cgroups_do_not_count);
	tcase_add_test(tcase, full_map);
	tcase_add_test(tcase, same_pair_again);
	tcase_add_test(tcase, leftover_of_the_pair);
	tcase_add_test(tcase, close_of_another_socket);
	tcase_add_test(tcase, two_thousand);
	tcase_add_test(tcase, bpftool_reads_it);
	suite_add_tcase(suite, tcase);
	return suite;
}
