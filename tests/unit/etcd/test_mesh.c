#include "tests/unit/etcd/live.h"
#include "tests/unit/etcd/suites.h"

#include "base/clock.h"
#include "etcd/lease.h"
#include "etcd/mesh.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static struct live_agent *agent;
static struct etcd_mesh *mesh;
static struct etcd_cluster cluster;

static struct etcd_address address(const char *text, uint32_t id)
{
	struct etcd_address a = {.number = {id}};

	strcpy(a.text, text);
	return a;
}

/* A turn in which the mesh has its, too. */
static size_t published(void)
{
	struct base_now now;
	size_t wanted;

	base_clock_now(&now);
	(void)etcd_mesh_tick(mesh, now.mono_ns, 1800000000);
	return etcd_mesh_published(mesh, &wanted);
}

static void start(bool own)
{
	live_options.cluster.id = 5;
	live_options.cluster.name = "lbfarm";
	live_options.cluster.node = "a";
	live_options.lease_s = 1;
	cluster = live_options.cluster;
	agent = live_agent_new("a");
	mesh = etcd_mesh_new(agent->client, &cluster, etcd_numbers_lease(agent->numbers), own);
	ck_assert_ptr_nonnull(mesh);
}

START_TEST(golden)
{
	/* Goal: values as Cilium writes them, byte for byte (cilium-verified.md 7). */
	const struct etcd_address one = address("10.0.1.7", 331922);
	char text[ETCD_MESH_IP_MAX], config[ETCD_MESH_CONFIG_MAX];

	cluster = (struct etcd_cluster){.id = 5, .clusters = 511};
	(void)etcd_mesh_ip(&one, text);
	ck_assert_str_eq(text, "{\"IP\":\"10.0.1.7\",\"HostIP\":\"\",\"ID\":331922,\"Key\":0,"
			       "\"Metadata\":\"\"}");
	(void)etcd_mesh_config(&cluster, config);
	ck_assert_str_eq(config, "{\"id\":5,\"capabilities\":{\"maxConnectedClusters\":511}}");
}
END_TEST

static const struct {
	int family;
	const char *text, *go; /* go NULL: refused */
} TEXTS[] = {
	{AF_INET, "10.0.1.7", "10.0.1.7"},
	{AF_INET, "0.0.0.0", NULL},
	{AF_INET6, "2001:DB8::8", "2001:db8::8"},
	{AF_INET6, "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
	{AF_INET6, "::ffff:1.2.3.4", NULL},
	{AF_INET6, "::1.2.3.4", NULL},
	{AF_INET6, "::", NULL},
};

START_TEST(texts)
{
	/* Goal: an address has the one text that Go's net.IP gives it, or none. */
	uint8_t bytes[16];
	char text[INET6_ADDRSTRLEN] = "-";
	int rc;

	ck_assert_int_eq(inet_pton(TEXTS[_i].family, TEXTS[_i].text, bytes), 1);
	rc = etcd_mesh_text(TEXTS[_i].family, bytes, text);
	ck_assert_int_eq(rc, TEXTS[_i].go ? 0 : -EINVAL);
	ck_assert_str_eq(text, TEXTS[_i].go ? TEXTS[_i].go : "-");
}
END_TEST

START_TEST(addresses)
{
	/* Goal: addresses come, change and go as they are said, and end with the lease. */
	const struct etcd_address both[] = {
		address("10.0.0.1", 327936), address("fd00::1", 327937)};
	const struct etcd_address one[] = {address("fd00::1", 327938)};

	start(false);
	etcd_mesh_addresses(mesh, both, 2);
	LIVE_UNTIL(published() == 2);
	ck_assert_uint_eq(live_count("cilium/state/ip/v1/default/"), 2);
	ck_assert_ptr_null(live_get("cilium/cluster-config/lbfarm"));
	etcd_mesh_addresses(mesh, one, 1);
	LIVE_UNTIL(published() == 1 && live_count("cilium/state/ip/") == 1);
	ck_assert_ptr_nonnull(strstr(live_get("cilium/state/ip/v1/default/fd00::1"), "327938"));
	/* Cut off, all goes with the lease; back, all is there again. */
	agent->deaf = true;
	LIVE_UNTIL(live_count("cilium/state/ip/") == 0);
	agent->deaf = false;
	LIVE_UNTIL(published() == 1 && live_count("cilium/state/ip/") == 1);
	etcd_mesh_free(mesh);
	live_agent_free(agent, false);
	LIVE_UNTIL(live_count("cilium/state/ip/") == 0);
}
END_TEST

START_TEST(moved)
{
	/* Goal: an address that another agent has put meanwhile is its; what is under way is waited for. */
	const struct etcd_address both[] = {
		address("10.0.0.1", 327936), address("fd00::1", 327937)};
	const struct etcd_address one[] = {address("fd00::1", 327938)};
	struct base_now now;

	start(false);
	etcd_mesh_addresses(mesh, both, 2);
	LIVE_UNTIL(published() == 2);
	live_put("cilium/state/ip/v1/default/10.0.0.1", "another's");
	etcd_mesh_addresses(mesh, one, 1);
	base_clock_now(&now);
	ck_assert_uint_gt(etcd_mesh_tick(mesh, now.mono_ns, 1800000000), now.mono_ns);
	/* The places are asked about in their order. */
	LIVE_UNTIL(published() == 1);
	ck_assert_str_eq(live_get("cilium/state/ip/v1/default/10.0.0.1"), "another's");
	etcd_mesh_free(mesh);
	live_agent_free(agent, false);
}
END_TEST

START_TEST(own)
{
	/* Goal: a cluster of our own has its configuration under our lease, and a heartbeat. */
	start(true);
	LIVE_UNTIL(published() == 0 && live_get("cilium/cluster-config/lbfarm"));
	LIVE_UNTIL(published() == 0 && live_get("cilium/.heartbeat"));
	ck_assert_str_eq(live_get("cilium/.heartbeat"), "2027-01-15T08:00:00Z");
	etcd_mesh_free(mesh);
	live_agent_free(agent, true);
	LIVE_UNTIL(!live_get("cilium/cluster-config/lbfarm"));
}
END_TEST

Suite *suite_mesh(void)
{
	Suite *s = suite_create("etcd/mesh");
	TCase *tc = tcase_create("mesh");

	tcase_add_unchecked_fixture(tc, live_start, live_stop);
	tcase_add_checked_fixture(tc, live_begin, live_end);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, golden);
	tcase_add_loop_test(tc, texts, 0, ARRAY_SIZE(TEXTS));
	tcase_add_test(tc, addresses);
	tcase_add_test(tc, moved);
	tcase_add_test(tc, own);
	suite_add_tcase(s, tc);
	return s;
}
