#include "spoa/kernel_policy.h"

#include "bpfmap/control.h"
#include "bpfmap/policy.h"
#include "tests/unit/spoa/help.h"
#include "tests/unit/spoa/suites.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* A kernel that remembers what it was told, and fails as the test says. */
#define RULES 64
static struct {
	uint32_t epoch;
	int swap_rc, add_rc;
	unsigned swaps, adds, removes;
	struct bpfmap_rule rules[RULES]; /* of the last call */
	size_t n_rules, n_targets;
} fake;

int __wrap_bpfmap_policy_swap(struct bpfmap *map, const struct bpfmap_policy *policy,
	uint32_t *ret_epoch, char why[BPFMAP_WHY]);
int __wrap_bpfmap_policy_add(struct bpfmap *map, const struct bpfmap_rule *rules, size_t n_rules,
	uint32_t *ret_epoch, char why[BPFMAP_WHY]);
int __wrap_bpfmap_policy_remove(
	struct bpfmap *map, const struct bpfmap_rule *rules, size_t n_rules, char why[BPFMAP_WHY]);
int __wrap_bpfmap_control_get(struct bpfmap *map, struct bpfmap_control *ret);

static void take(const struct bpfmap_rule *rules, size_t n)
{
	ck_assert_uint_le(n, RULES);
	fake.n_rules = n;
	if (n)
		memcpy(fake.rules, rules, n * sizeof(*rules));
}

int __wrap_bpfmap_policy_swap(struct bpfmap *map, const struct bpfmap_policy *policy,
	uint32_t *ret_epoch, char why[BPFMAP_WHY])
{
	(void)map;
	fake.swaps++;
	take(policy->rules, policy->n_rules);
	fake.n_targets = policy->n_targets;
	if (fake.swap_rc) {
		snprintf(why, BPFMAP_WHY, "the test says no");
		return fake.swap_rc;
	}
	*ret_epoch = ++fake.epoch;
	return 0;
}

int __wrap_bpfmap_policy_add(struct bpfmap *map, const struct bpfmap_rule *rules, size_t n_rules,
	uint32_t *ret_epoch, char why[BPFMAP_WHY])
{
	(void)map;
	fake.adds++;
	take(rules, n_rules);
	if (fake.add_rc) {
		snprintf(why, BPFMAP_WHY, "the test says no");
		return fake.add_rc;
	}
	*ret_epoch = fake.epoch;
	return 0;
}

int __wrap_bpfmap_policy_remove(
	struct bpfmap *map, const struct bpfmap_rule *rules, size_t n_rules, char why[BPFMAP_WHY])
{
	(void)map;
	(void)why;
	fake.removes++;
	take(rules, n_rules);
	return 0;
}

int __wrap_bpfmap_control_get(struct bpfmap *map, struct bpfmap_control *ret)
{
	(void)map;
	*ret = (struct bpfmap_control){.epoch = fake.epoch};
	return 0;
}

static const char YAML[] =
	HELP_HEAD "providers:\n"
		  "  - {name: a, issuer: 'https://a', audiences: [api], algorithms: [ES256]}\n"
		  "roles:\n"
		  "  - {name: admin, when: [{claim: role, equals: admin}], labels: [role=admin],\n"
		  "     number: 200}\n"
		  "services:\n"
		  "  - {name: be, namespace: shop, labels: [app=web], port: 8080, ports: [8443],\n"
		  "     addresses: [10.0.0.1, 2001:db8::1]}\n"
		  "policy: {paths: [%s/p.yaml]}\n";

static const char POLICY[] =
	"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\n"
	"metadata: {name: web, namespace: shop}\n"
	"spec:\n  endpointSelector: {matchLabels: {app: web}}\n"
	"  ingress:\n"
	"  - fromEndpoints: [{matchLabels: {role: admin, k8s:io.kubernetes.pod.namespace: "
	"identity-edge}}]\n"
	"    toPorts: [{ports: [{port: '8080', protocol: TCP}]}]\n"
	"  ingressDeny:\n"
	"  - fromEndpoints: [{matchLabels: {role: bad, k8s:io.kubernetes.pod.namespace: "
	"identity-edge}}]\n";

#define LABELS(role)                                                                               \
	SPAN("k8s:io.cilium.k8s.policy.cluster=default;k8s:io.kubernetes.pod.namespace="           \
	     "identity-edge;k8s:role=" role ";")

static char folder[64];
static char why[BPFMAP_WHY];
static struct spoa_config *config;
static struct spoa_policies *policies;
static struct spoa_maps *maps;
static struct spoa_kernel_policy now;

static struct spoa_policies *read_policies(void)
{
	struct spoa_policies *read = NULL;
	struct base_diag diag;

	base_diag_init(&diag, "test");
	ck_assert_int_eq(spoa_policies_new(config, &diag, &read), 0);
	base_diag_done(&diag);
	return read;
}

static void setup(void)
{
	char text[2048];

	help_mkdir(folder);
	snprintf(text, sizeof(text), "%s/p.yaml", folder);
	help_write(text, POLICY);
	snprintf(text, sizeof(text), YAML, folder);
	config = help_config(text);
	policies = read_policies();
	maps = spoa_maps_new(NULL);
	memset(&fake, 0, sizeof(fake));
	now = (struct spoa_kernel_policy){0};
}

static void teardown(void)
{
	spoa_kernel_policy_done(&now);
	spoa_policies_unref(policies);
	spoa_maps_unref(maps);
	spoa_config_unref(config);
	help_rmdir(folder);
}

static void use(bool owns)
{
	spoa_kernel_policy_use(&now, config, policies, maps, owns);
}

/* Other policies: the set is written again. */
static void write_anew(void)
{
	spoa_policies_unref(policies);
	policies = read_policies();
	use(true);
}

/* Rules with this identity in the last call; those that deny as ten. */
static unsigned rules_of(uint32_t identity)
{
	unsigned n = 0;

	for (size_t i = 0; i < fake.n_rules; i++)
		if (fake.rules[i].identity == identity)
			n += fake.rules[i].deny ? 10 : 1;
	return n;
}

START_TEST(whole_set_once)
{
	/* Goal: the owner writes the set of the configuration, once, and again when it changes;
	 * who is not the owner does not; without maps nothing happens. */
	spoa_kernel_policy_use(&now, config, policies, NULL, false);
	use(false);
	ck_assert_uint_eq(fake.swaps, 0);
	use(true);
	ck_assert_uint_eq(fake.swaps, 1);
	ck_assert_uint_eq(fake.n_targets, 4); /* two addresses, two ports */
	ck_assert_uint_eq(rules_of(200), 1);
	use(true);
	use(true);
	ck_assert_uint_eq(fake.swaps, 1);
	spoa_policies_unref(policies);
	policies = read_policies();
	use(true);
	ck_assert_uint_eq(fake.swaps, 2);
	use(false);
	use(true); /* another may have written meanwhile */
	ck_assert_uint_eq(fake.swaps, 3);
}
END_TEST

START_TEST(failed_write_is_tried_again)
{
	/* Goal: a set that could not be written is written with a later look, not never and not
	 * always: a failure that took long is left alone for longer. */
	fake.swap_rc = -ENOSPC;
	use(true);
	ck_assert(!now.written);
	ck_assert_int_eq(now.failed, -ENOSPC);
	ck_assert_uint_gt(now.again_at, 0);
	now.again_at = UINT64_MAX;
	use(true);
	ck_assert_uint_eq(fake.swaps, 1); /* too early */
	now.again_at = 1;
	use(true);
	ck_assert_uint_eq(fake.swaps, 2);
	ck_assert(!now.written);
	now.again_at = UINT64_MAX;
	spoa_policies_unref(policies);
	policies = read_policies();
	use(true); /* other policies are tried at once */
	ck_assert_uint_eq(fake.swaps, 3);
	fake.swap_rc = 0;
	now.again_at = 1;
	use(true);
	ck_assert_uint_eq(fake.swaps, 4);
	ck_assert(now.written);
	ck_assert_int_eq(now.failed, 0);
	ck_assert_uint_eq(rules_of(200), 1);
	use(true);
	ck_assert_uint_eq(fake.swaps, 4);
}
END_TEST

START_TEST(identity_appears_and_goes)
{
	/* Goal: one identity is written alone, is part of every later set, and is taken out
	 * alone. */
	use(true);
	ck_assert_int_eq(spoa_kernel_policy_appear(&now, 300, LABELS("admin"), why), 0);
	ck_assert_uint_eq(fake.adds, 1);
	ck_assert_uint_eq(rules_of(300), 1);
	ck_assert_uint_eq(fake.n_rules, 1);
	ck_assert_int_eq(spoa_kernel_policy_appear(&now, 300, LABELS("admin"), why), 0);
	ck_assert_uint_eq(fake.adds, 1); /* known */
	ck_assert_int_eq(spoa_kernel_policy_appear(&now, 301, LABELS("bad"), why), 0);
	ck_assert_uint_eq(rules_of(301), 10);
	ck_assert_int_eq(spoa_kernel_policy_appear(&now, 302, LABELS("nobody"), why), 0);
	ck_assert_uint_eq(fake.n_rules, 0);
	ck_assert_uint_eq(fake.swaps, 1);
	spoa_policies_unref(policies);
	policies = read_policies();
	use(true);
	ck_assert_uint_eq(rules_of(200), 1);
	ck_assert_uint_eq(rules_of(300), 1);
	ck_assert_uint_eq(rules_of(301), 10);
	spoa_kernel_policy_go(&now, 300, LABELS("admin"));
	ck_assert_uint_eq(fake.removes, 1);
	ck_assert_uint_eq(rules_of(300), 1);
	spoa_kernel_policy_go(&now, 300, LABELS("admin"));
	spoa_kernel_policy_go(&now, 999, LABELS("admin"));
	ck_assert_uint_eq(fake.removes, 1);
	use(false);
	use(true);
	ck_assert_uint_eq(rules_of(300), 0);
	ck_assert_uint_eq(rules_of(301), 10);
}
END_TEST

START_TEST(identity_that_cannot_be_written)
{
	/* Goal: an identity without room, or whose set is not in force, is refused and not
	 * remembered. */
	use(true);
	fake.add_rc = -ENOSPC;
	ck_assert_int_eq(spoa_kernel_policy_appear(&now, 300, LABELS("admin"), why), -ENOSPC);
	ck_assert_str_eq(why, "the test says no");
	ck_assert_uint_eq(now.n_known, 0);
	fake.add_rc = 0;
	spoa_policies_unref(policies);
	policies = read_policies();
	fake.swap_rc = -ENOSPC;
	use(true);
	ck_assert_int_eq(spoa_kernel_policy_appear(&now, 300, LABELS("admin"), why), -EAGAIN);
	ck_assert_uint_ne(*why, '\0');
	ck_assert_uint_eq(now.n_known, 0);
	fake.swap_rc = 0;
	now.again_at = 0;
	use(true);
	ck_assert_int_eq(spoa_kernel_policy_appear(&now, 300, LABELS("admin"), why), 0);
}
END_TEST

START_TEST(before_there_are_maps)
{
	/* Goal: what appears before anything is enforced is in the first set; a role's own number
	 * keeps its rules when an identity with the same labels goes. */
	ck_assert_int_eq(spoa_kernel_policy_appear(&now, 300, LABELS("admin"), why), 0);
	ck_assert_int_eq(spoa_kernel_policy_appear(&now, 200, LABELS("admin"), why), 0);
	ck_assert_uint_eq(fake.adds, 0);
	use(true);
	ck_assert_uint_eq(rules_of(300), 1);
	ck_assert_uint_ge(rules_of(200), 1);
	spoa_kernel_policy_go(&now, 200, LABELS("admin"));
	ck_assert_uint_eq(fake.removes, 0);
}
END_TEST

START_TEST(in_the_set_of_another_agent)
{
	/* Goal: who is not the owner writes its identities into the owner's set, and again when
	 * there is another; a failure is tried again. */
	fake.epoch = 5;
	use(false);
	ck_assert_int_eq(spoa_kernel_policy_appear(&now, 300, LABELS("admin"), why), 0);
	ck_assert_uint_eq(fake.adds, 1);
	use(false);
	ck_assert_uint_eq(fake.adds, 1);
	fake.epoch = 6;
	fake.add_rc = -ENOSPC;
	use(false);
	ck_assert_uint_eq(fake.adds, 2);
	fake.add_rc = 0;
	use(false);
	ck_assert_uint_eq(fake.adds, 3);
	use(false);
	ck_assert_uint_eq(fake.adds, 3);
	spoa_policies_unref(policies);
	policies = read_policies();
	use(false); /* other policies: the old rules go, the new ones come */
	ck_assert_uint_eq(fake.removes, 1);
	ck_assert_uint_eq(fake.adds, 4);
	ck_assert_uint_eq(fake.swaps, 0);
}
END_TEST

START_TEST(number_of_another)
{
	/* Goal: a number that comes to other labels loses the rules that it had; when the former
	 * owner is said to go nothing happens to the new one; without a set in force it is refused. */
	use(true);
	ck_assert_int_eq(spoa_kernel_policy_appear(&now, 300, LABELS("admin"), why), 0);
	ck_assert_int_eq(spoa_kernel_policy_appear(&now, 300, LABELS("bad"), why), 0);
	ck_assert_uint_eq(fake.removes, 1);
	ck_assert_uint_eq(fake.adds, 2);
	ck_assert_uint_eq(rules_of(300), 10);
	ck_assert(span_is(LABELS("bad"), now.known[0].labels));
	spoa_kernel_policy_go(&now, 300, LABELS("admin"));
	ck_assert_uint_eq(fake.removes, 1);
	ck_assert_uint_eq(now.n_known, 1);
	write_anew();
	ck_assert_uint_eq(rules_of(300), 10);
	fake.add_rc = -ENOSPC;
	ck_assert_int_eq(spoa_kernel_policy_appear(&now, 300, LABELS("admin"), why), -ENOSPC);
	ck_assert_uint_eq(now.n_known, 0); /* it is nobody's */
	fake.add_rc = 0;
	ck_assert_int_eq(spoa_kernel_policy_appear(&now, 300, LABELS("admin"), why), 0);
	fake.swap_rc = -ENOSPC;
	write_anew();
	ck_assert_int_eq(spoa_kernel_policy_appear(&now, 300, LABELS("bad"), why), -EAGAIN);
	ck_assert(span_is(LABELS("admin"), now.known[0].labels));
}
END_TEST

/* As if etcd had given the role its number. */
static void share_number(void)
{
	struct conf *conf = (struct conf *)config->conf;
	struct conf_strings *endpoints = &conf->etcd.endpoints;

	endpoints->items = calloc(1, sizeof(*endpoints->items));
	endpoints->items[0] = strdup("https://etcd");
	endpoints->n = 1;
	conf->roles[0].number = 0;
}

START_TEST(role_whose_number_moved)
{
	/* Goal: a role to which etcd gives another number leaves no rules at the old one, not
	 * now and not in a later set, and its labels are said with the new one; and back. */
	share_number();
	use(true);
	ck_assert_uint_eq(rules_of(200), 1);
	ck_assert_int_eq(spoa_kernel_policy_appear(&now, 200, LABELS("admin"), why), 0);
	ck_assert_uint_eq(fake.adds, 0);
	ck_assert_int_eq(spoa_kernel_policy_appear(&now, 300, LABELS("admin"), why), 0);
	ck_assert_uint_eq(rules_of(300), 1);
	spoa_kernel_policy_go(&now, 200, LABELS("admin"));
	ck_assert_uint_eq(fake.removes, 1);
	ck_assert_uint_eq(rules_of(200), 1);
	ck_assert_uint_eq(spoa_kernel_policy_labels(&now, 200).n, 0);
	write_anew();
	ck_assert_uint_eq(rules_of(200), 0);
	ck_assert_uint_eq(rules_of(300), 1);
	ck_assert_int_eq(spoa_kernel_policy_appear(&now, 200, LABELS("admin"), why), 0);
	ck_assert_uint_eq(rules_of(200), 1);
	spoa_kernel_policy_go(&now, 300, LABELS("admin"));
	ck_assert_uint_eq(rules_of(300), 1);
	write_anew();
	ck_assert_uint_eq(rules_of(200), 1);
	ck_assert_uint_eq(rules_of(300), 0);
}
END_TEST

START_TEST(role_whose_number_is_given_away)
{
	/* Goal: others who get a role's former number get nothing of its rules. */
	share_number();
	use(true);
	ck_assert_int_eq(spoa_kernel_policy_appear(&now, 200, LABELS("bad"), why), 0);
	ck_assert_uint_eq(fake.removes, 1);
	ck_assert_uint_eq(rules_of(200), 10);
	ck_assert(span_eq(spoa_kernel_policy_labels(&now, 200), LABELS("bad")));
	write_anew();
	ck_assert_uint_eq(rules_of(200), 10);
	spoa_kernel_policy_go(&now, 200, LABELS("admin"));
	ck_assert_uint_eq(fake.removes, 1);
}
END_TEST

Suite *suite_kernel_policy(void)
{
	Suite *suite = suite_create("kernel_policy");
	TCase *tc = tcase_create("kernel_policy");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, whole_set_once);
	tcase_add_test(tc, failed_write_is_tried_again);
	tcase_add_test(tc, identity_appears_and_goes);
	tcase_add_test(tc, identity_that_cannot_be_written);
	tcase_add_test(tc, before_there_are_maps);
	tcase_add_test(tc, in_the_set_of_another_agent);
	tcase_add_test(tc, number_of_another);
	tcase_add_test(tc, role_whose_number_moved);
	tcase_add_test(tc, role_whose_number_is_given_away);
	suite_add_tcase(suite, tc);
	return suite;
}
