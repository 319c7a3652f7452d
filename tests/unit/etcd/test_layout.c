#include "tests/unit/etcd/suites.h"

#include "etcd/layout.h"

#include <errno.h>
#include <string.h>

#define LABELS                                                                                     \
	"k8s:app=frontend;k8s:io.cilium.k8s.policy.cluster=default;k8s:io.kubernetes.pod."         \
	"namespace=shop;"
#define MESH                                                                                       \
	"k8s:app=baz;k8s:io.cilium.k8s.policy.cluster=cluster3;k8s:io.kubernetes.pod.namespace="   \
	"bar;"

static const struct etcd_cluster ONE = {
	.prefix = "cilium", .node = "10.0.0.7", .clusters = 255, .name = "default"};
static const struct etcd_cluster THREE = {
	.prefix = "cilium", .node = "edge", .id = 3, .clusters = 255, .name = "cluster3"};

START_TEST(keys)
{
	/* Goal: golden bytes (cilium.md 2.2, cilium-verified.md 7), real Cilium's own among them. */
	etcd_key_buf key;

	ck_assert_str_eq(etcd_layout_id(&ONE, 51966, key).p, "cilium/state/identities/v1/id/51966");
	ck_assert_str_eq(
		etcd_layout_id(&THREE, 196915, key).p, "cilium/state/identities/v1/id/196915");
	ck_assert_str_eq(etcd_layout_value(&ONE, LABELS, key).p,
		"cilium/state/identities/v1/value/" LABELS "/10.0.0.7");
	ck_assert_str_eq(etcd_layout_values(&ONE, LABELS, key).p,
		"cilium/state/identities/v1/value/" LABELS "/");
	ck_assert_str_eq(etcd_layout_lock(&ONE, LABELS, 0x694d8a3b5c5e1f02, key).p,
		"cilium/state/identities/v1/locks/" LABELS "/694d8a3b5c5e1f02");
	ck_assert_str_eq(etcd_layout_locks(&ONE, LABELS, key).p,
		"cilium/state/identities/v1/locks/" LABELS "/");
	ck_assert_str_eq(
		etcd_layout_ip(&ONE, "10.0.1.7", key).p, "cilium/state/ip/v1/default/10.0.1.7");
	ck_assert_str_eq(etcd_layout_config(&THREE, key).p, "cilium/cluster-config/cluster3");
	ck_assert_str_eq(etcd_layout_heartbeat(&THREE, key).p, "cilium/.heartbeat");
	ck_assert_str_eq(etcd_layout_identities(&ONE, key).p, "cilium/state/identities/v1/");
	ck_assert_str_eq(etcd_layout_ids(&ONE, key).p, "cilium/state/identities/v1/id/");
	ck_assert_uint_eq(etcd_layout_ids(&ONE, key).n, strlen(key));
}
END_TEST

START_TEST(longest)
{
	/* Goal: the longest labels, node and prefix fit the buffer whole. */
	char prefix[ETCD_PREFIX_MAX + 1], node[ETCD_NODE_MAX + 1],
		labels[IDENT_LABELS_TEXT_MAX + 1];
	struct etcd_cluster cluster = {.prefix = prefix, .node = node};
	etcd_key_buf key;

	memset(prefix, 'p', sizeof(prefix) - 1);
	memset(node, 'n', sizeof(node) - 1);
	memset(labels, 'l', sizeof(labels) - 1);
	prefix[ETCD_PREFIX_MAX] = node[ETCD_NODE_MAX] = labels[IDENT_LABELS_TEXT_MAX] = '\0';
	ck_assert_int_eq(key[etcd_layout_value(&cluster, labels, key).n - 1], 'n');
	ck_assert_int_eq(key[etcd_layout_lock(&cluster, labels, -1, key).n - 1], 'f');
}
END_TEST

static const struct {
	unsigned id, clusters;
	uint32_t min, max;
} RANGES[] = {
	{0, 255, 256, 65535},
	{1, 255, 0x10100, 0x1ffff},
	{5, 255, 327936, 393215},
	{255, 255, 0xff0100, 0xffffff},
	{0, 511, 256, 32767},
	{1, 511, 33024, 65535},
	{511, 511, 0xff8100, 0xffffff},
};

START_TEST(ranges)
{
	/* Goal: each cluster has its numbers and no other's, in both codecs (cilium.md 1.1). */
	const struct etcd_cluster cluster = {.id = RANGES[_i].id, .clusters = RANGES[_i].clusters};

	ck_assert_uint_eq(etcd_layout_min(&cluster), RANGES[_i].min);
	ck_assert_uint_eq(etcd_layout_max(&cluster), RANGES[_i].max);
	ck_assert(!etcd_layout_has(&cluster, RANGES[_i].min - 1));
	ck_assert(etcd_layout_has(&cluster, RANGES[_i].min));
	ck_assert(etcd_layout_has(&cluster, RANGES[_i].max));
	ck_assert(!etcd_layout_has(&cluster, RANGES[_i].max + 1));
}
END_TEST

static const struct {
	const char *key;
	int rc;
	uint32_t id;
} KEYS[] = {
	{"cilium/state/identities/v1/id/196915", 0, 196915},
	{"cilium/state/identities/v1/id/196864", 0, 196864},
	{"cilium/state/identities/v1/id/196863", -ERANGE, 0}, /* reserved in every cluster */
	{"cilium/state/identities/v1/id/51966", -ERANGE, 0},  /* another cluster's */
	{"cilium/state/identities/v1/id/262400", -ERANGE, 0},
	{"cilium/state/identities/v1/id/16777217", -ERANGE, 0}, /* of local scope */
	{"cilium/state/identities/v1/id/0", -ERANGE, 0},
	{"cilium/state/identities/v1/id/4294967295", -ERANGE, 0},
	{"cilium/state/identities/v1/id/4294967296", -EINVAL, 0},
	{"cilium/state/identities/v1/id/0196915", -EINVAL, 0},
	{"cilium/state/identities/v1/id/+196915", -EINVAL, 0},
	{"cilium/state/identities/v1/id/196915 ", -EINVAL, 0},
	{"cilium/state/identities/v1/id/196915/x", -EINVAL, 0},
	{"cilium/state/identities/v1/id/", -EINVAL, 0},
	{"cilium/state/identities/v1/id", -EINVAL, 0},
	{"cilium/state/identities/v1/", -EINVAL, 0},
	{"cilium/state/identities/v2/id/196915", -EINVAL, 0},
	{"cilium/state/identities/v1/value/k8s:a=b;/n", -ENOENT, 0},
	{"cilium/state/identities/v1/locks/k8s:a=b;/7", -ENOENT, 0},
	{"", -EINVAL, 0},
};

START_TEST(parse_id)
{
	/* Goal: a number's key is one only in our own range; a foreign cluster's is refused. */
	uint32_t id = 0;

	ck_assert_int_eq(etcd_layout_parse_id(&THREE, span_of(KEYS[_i].key), &id), KEYS[_i].rc);
	ck_assert_uint_eq(id, KEYS[_i].id);
}
END_TEST

START_TEST(labels)
{
	/* Goal: only canonical text is labels, and in a mesh only with this cluster's name. */
	static const char NUL[] = "k8s:a=b;\0k8s:c=d;";

	ck_assert_int_eq(etcd_layout_labels_check(&ONE, SPAN(LABELS), false), 0);
	ck_assert_int_eq(etcd_layout_labels_check(&THREE, SPAN(LABELS), false), 0);
	ck_assert_int_eq(etcd_layout_labels_check(&THREE, SPAN(LABELS), true), -EINVAL);
	ck_assert_int_eq(etcd_layout_labels_check(&THREE, SPAN(MESH), true), 0);
	ck_assert_int_eq(etcd_layout_labels_check(&THREE, SPAN("k8s:a=b;"), true), -EINVAL);
	ck_assert_int_eq(etcd_layout_labels_check(&ONE, SPAN(""), false), -EINVAL);
	ck_assert_int_eq(etcd_layout_labels_check(&ONE, SPAN("k8s:a=b"), false), -EINVAL);
	ck_assert_int_eq(etcd_layout_labels_check(&ONE, SPAN("k8s:b=b;k8s:a=b;"), false), -EINVAL);
	ck_assert_int_eq(etcd_layout_labels_check(
				 &ONE, (struct span){.p = NUL, .n = sizeof(NUL) - 1}, false),
		-EINVAL);
}
END_TEST

START_TEST(names)
{
	/* Goal: names as Cilium takes them (cilium.md 2.3), nodes without a slash. */
	ck_assert(etcd_layout_is_name("lbfarm"));
	ck_assert(etcd_layout_is_name("a"));
	ck_assert(etcd_layout_is_name("a-1"));
	ck_assert(etcd_layout_is_name("abcdefghijklmnopqrstuvwxyz012345"));
	ck_assert(!etcd_layout_is_name("abcdefghijklmnopqrstuvwxyz0123456"));
	ck_assert(!etcd_layout_is_name(""));
	ck_assert(!etcd_layout_is_name("-a"));
	ck_assert(!etcd_layout_is_name("a-"));
	ck_assert(!etcd_layout_is_name("A"));
	ck_assert(!etcd_layout_is_name("a.b"));
	ck_assert(etcd_layout_is_node("edge-1.example.com"));
	ck_assert(!etcd_layout_is_node("a/b"));
	ck_assert(!etcd_layout_is_node(""));
	ck_assert(!etcd_layout_is_node(".."));
	ck_assert(!etcd_layout_is_node("a b"));
}
END_TEST

Suite *suite_layout(void)
{
	Suite *s = suite_create("etcd/layout");
	TCase *tc = tcase_create("layout");

	tcase_add_test(tc, keys);
	tcase_add_test(tc, longest);
	tcase_add_loop_test(tc, ranges, 0, ARRAY_SIZE(RANGES));
	tcase_add_loop_test(tc, parse_id, 0, ARRAY_SIZE(KEYS));
	tcase_add_test(tc, labels);
	tcase_add_test(tc, names);
	suite_add_tcase(s, tc);
	return s;
}
