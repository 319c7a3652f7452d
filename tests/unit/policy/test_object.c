#include "tests/unit/policy/help.h"
#include "tests/unit/policy/suites.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HEAD                                                                                       \
	"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p, namespace: "     \
	"ns}\n"                                                                                    \
	"spec:\n"
#define SPEC HEAD "  endpointSelector: {}\n"
#define RULE SPEC "  ingress:\n  - "

/* A document and what is said about it, as LINE:COLUMN: path: text. */
static const struct {
	const char *text, *want;
} WRONG[] = {
	{"[]\n", "1:1: must be a map of fields"},
	{"metadata: {name: a}\n", "1:1: needs 'apiVersion', 'kind' and 'metadata'"},
	{"apiVersion: v1\nkind: CiliumNetworkPolicy\nmetadata: {name: a}\nspec: "
	 "{endpointSelector: {}}\n",
		"1:13: apiVersion: must be cilium.io/v2"},
	{"apiVersion: cilium.io/v2\nkind: Pod\nmetadata: {name: a}\nspec: {endpointSelector: {}}\n",
		"2:7: kind: must be CiliumNetworkPolicy or CiliumClusterwideNetworkPolicy"},
	{"apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\n"
	 "metadata: {name: a, namespace: b}\nspec: {endpointSelector: {}}\n",
		"1:1: a CiliumClusterwideNetworkPolicy has no metadata.namespace"},
	{"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {}\nspec: "
	 "{endpointSelector: {}}\n",
		"1:1: needs 'metadata.name'"},
	{"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: a}\n",
		"1:1: needs 'spec' or 'specs'"},
	{HEAD "  ingress: [{}]\n", "5:3: spec: needs either 'endpointSelector' or 'nodeSelector'"},
	{HEAD "  nodeSelector: {}\n",
		"5:17: spec.nodeSelector: only a CiliumClusterwideNetworkPolicy has a "
		"nodeSelector"},
	{SPEC "  foo: 1\n", "6:3: spec.foo: there is no such field"},
	{SPEC "  ingress: {}\n", "6:12: spec.ingress: must be a list"},
	{RULE "fromRequires: [{}]\n",
		"7:19: spec.ingress[0].fromRequires: not supported: removed from Cilium 1.19; use "
		"matchExpressions in fromEndpoints"},
	{RULE "fromGroups: [{}]\n",
		"7:5: spec.ingress[0].fromGroups: not supported: groups of cloud providers are not "
		"looked up"},
	{RULE "fromEntities: [moon]\n",
		"7:20: spec.ingress[0].fromEntities[0]: there is no such entity"},
	{RULE "fromCIDR: [10.0.0.0/33]\n",
		"7:16: spec.ingress[0].fromCIDR[0]: must be an address, or a range such as "
		"10.0.0.0/8"},
	{RULE "fromCIDRSet: [{cidr: 10.0.0.0/8, except: [11.0.0.0/8]}]\n",
		"7:47: spec.ingress[0].fromCIDRSet[0].except[0]: does not lie within 'cidr'"},
	{RULE "fromCIDRSet: [{cidrGroupRef: g}]\n",
		"7:20: spec.ingress[0].fromCIDRSet[0].cidrGroupRef: not supported: CiliumCIDRGroup "
		"objects are not read"},
	{RULE "fromEndpoints: [{}]\n    fromEntities: [all]\n",
		"8:19: spec.ingress[0].fromEntities: cannot be combined with fromEndpoints in one "
		"entry; make two"},
	{RULE "fromEndpoints: [{matchLabels: {a: 1}}]\n",
		"7:39: spec.ingress[0].fromEndpoints[0].matchLabels.a: must be text: put it in "
		"quotes"},
	{RULE "fromEndpoints: [{matchLabels: {a: yes}}]\n",
		"7:39: spec.ingress[0].fromEndpoints[0].matchLabels.a: must be text: put it in "
		"quotes"},
	{RULE "fromEndpoints: [{matchExpressions: [{key: a, operator: Exists, values: [b]}]}]\n",
		"7:41: spec.ingress[0].fromEndpoints[0].matchExpressions[0]: 'values' is for In "
		"and NotIn, which need it"},
	{RULE "toPorts: [{ports: [{port: 80}]}]\n",
		"7:31: spec.ingress[0].toPorts[0].ports[0].port: must be text: put it in quotes"},
	{RULE "toPorts: [{ports: [{port: '70000'}]}]\n",
		"7:31: spec.ingress[0].toPorts[0].ports[0].port: must be a number from 0 to 65535, "
		"or the name of a port"},
	{RULE "toPorts: [{ports: [{port: '80', endPort: 70}]}]\n",
		"7:46: spec.ingress[0].toPorts[0].ports[0].endPort: lies below 'port'"},
	{RULE "toPorts: [{ports: [{port: '80', protocol: XTP}]}]\n",
		"7:47: spec.ingress[0].toPorts[0].ports[0].protocol: must be TCP, UDP, SCTP, ICMP, "
		"ICMPv6, VRRP, IGMP or ANY"},
	{RULE "toPorts: [{ports: [{port: '80'}], serverNames: [a]}]\n",
		"7:39: spec.ingress[0].toPorts[0].serverNames: not supported: HAProxy ends TLS, "
		"not the policy"},
	{RULE "toPorts: [{ports: [{port: '80', protocol: UDP}], rules: {http: [{}]}}]\n",
		"7:61: spec.ingress[0].toPorts[0].rules: L7 rules need protocol TCP, not UDP"},
	{RULE "toPorts: [{ports: [{port: '0', protocol: TCP}], rules: {http: [{}]}}]\n",
		"7:60: spec.ingress[0].toPorts[0].rules: L7 rules cannot be used with port 0"},
	{RULE "toPorts: [{ports: [{port: '53', protocol: TCP}], rules: {dns: [{}]}}]\n",
		"7:62: spec.ingress[0].toPorts[0].rules.dns: not supported: DNS rules are for "
		"egress"},
	{RULE "toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: []}}]\n",
		"7:68: spec.ingress[0].toPorts[0].rules.http: an empty list says nothing; [{}] "
		"allows every request"},
	{RULE "toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{path: "
	      "'(?=a)'}]}}]\n",
		"7:76: spec.ingress[0].toPorts[0].rules.http[0].path: RE2 has no such group: no "
		"look-around, atomic or conditional ones, at byte 1 of the pattern"},
	{RULE "toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{headerMatches: "
	      "[{name: A, mismatch: ADD}]}]}}]\n",
		"7:106: spec.ingress[0].toPorts[0].rules.http[0].headerMatches[0].mismatch: not "
		"supported: ADD would change the request"},
	{RULE "toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{headerMatches: "
	      "[{name: A, secret: {name: s}}]}]}}]\n",
		"7:96: spec.ingress[0].toPorts[0].rules.http[0].headerMatches[0].secret: not "
		"supported: Kubernetes secrets are not read"},
	{RULE "icmps: [{fields: [{type: 300}]}]\n",
		"7:30: spec.ingress[0].icmps[0].fields[0].type: must be a number from 0 to 255, or "
		"the name of a type"},
	{RULE "toPorts: [{ports: [{port: '80'}]}]\n    icmps: [{fields: [{type: 8}]}]\n",
		"8:12: spec.ingress[0].icmps: cannot be combined with toPorts; make two entries"},
	{RULE "authentication: {mode: required}\n",
		"7:28: spec.ingress[0].authentication.mode: not supported: Cilium's mutual "
		"authentication ends at its own agents; only 'disabled' is possible"},
	{SPEC "  ingressDeny:\n  - toPorts: [{ports: [{port: '80'}], rules: {}}]\n",
		"7:39: spec.ingressDeny[0].toPorts[0].rules: there is no such field"},
	{SPEC "  enableDefaultDeny: {ingress: maybe}\n",
		"6:32: spec.enableDefaultDeny.ingress: must be true or false"},
	{SPEC "---\n" SPEC, "7:1: this policy is given twice, first in f:1"},
};

/* Goal: each mistake is said once, with its place and path, and nothing of the document stays. */
START_TEST(mistakes_are_named)
{
	static const struct policy_options NONE = {0};
	struct policy_set *set = policy_set_new(&NONE);
	struct base_diag diag, notes;
	char said[400] = "";
	size_t policies = strstr(WRONG[_i].text, "---") ? 1 : 0;

	base_diag_init(&diag, "f");
	base_diag_init(&notes, "f");
	ck_assert_int_eq(help_add(set, WRONG[_i].text, &diag, &notes), -EINVAL);
	if (diag.n_items)
		snprintf(said, sizeof(said), "%u:%u: %s", diag.items[0].line, diag.items[0].column,
			diag.items[0].text);
	ck_assert_str_eq(said, WRONG[_i].want);
	ck_assert_uint_eq(diag.n_found, 1);
	ck_assert_uint_eq(policy_set_policies(set), policies);
	ck_assert_uint_eq(policy_set_rules(set), 0);
	base_diag_done(&diag);
	base_diag_done(&notes);
	policy_set_free(set);
}
END_TEST

/* Goal: egress is read over, and said to be so. */
START_TEST(egress_is_noted)
{
	static const struct policy_options NONE = {0};
	struct policy_set *set = policy_set_new(&NONE);
	struct base_diag diag, notes;

	base_diag_init(&diag, "f");
	base_diag_init(&notes, "f");
	ck_assert_int_eq(
		help_add(set, SPEC "  egress: [{toEntities: [world]}]\n  egressDeny: [{}, {}]\n",
			&diag, &notes),
		0);
	ck_assert_uint_eq(notes.n_found, 2);
	ck_assert_str_eq(
		notes.items[0].text, "spec.egress: 1 egress rules, which are not enforced here");
	ck_assert_str_eq(notes.items[1].text,
		"spec.egressDeny: 2 egress rules, which are not enforced here");
	base_diag_done(&diag);
	base_diag_done(&notes);
	policy_set_free(set);
}
END_TEST

/* Goal: everything of the schema that concerns ingress is taken. */
START_TEST(the_whole_schema_is_taken)
{
	static const char ALL[] =
		"apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\n"
		"metadata: {name: p, labels: {a: b}, annotations: {x: y}, uid: z}\n"
		"spec:\n"
		"  endpointSelector: {matchLabels: {app: a}, matchExpressions: [{key: k8s:b, "
		"operator: NotIn, values: [c]}]}\n"
		"  description: text\n  labels: [{key: a}]\n  log: {value: short}\n"
		"  enableDefaultDeny: {ingress: true, egress: false}\n"
		"  ingress:\n"
		"  - {fromEndpoints: [{}], authentication: {mode: disabled}}\n"
		"  - {fromEntities: [all, world, world-ipv4, world-ipv6, cluster, cluster-mesh, "
		"host, init, ingress, unmanaged, remote-node, health, none, kube-apiserver]}\n"
		"  - {fromCIDR: [10.0.0.0/8, 1.2.3.4, '2001:db8::/32']}\n"
		"  - {fromCIDRSet: [{cidr: 10.0.0.0/8, except: [10.1.0.0/16]}]}\n"
		"  - {fromNodes: [{matchLabels: {zone: a}}]}\n"
		"  - {fromRequires: []}\n"
		"  - toPorts:\n"
		"    - ports: [{port: '80', protocol: TCP, endPort: 90}, {port: http, protocol: "
		"TCP}]\n"
		"      rules: {http: [{path: /a, method: GET, host: h, headers: ['A: b', C], "
		"headerMatches: [{name: D, value: e, mismatch: LOG}]}]}\n"
		"    - {ports: [{port: '53', protocol: ANY}, {port: '1', protocol: sctp}]}\n"
		"  - {icmps: [{fields: [{family: IPv6, type: EchoRequest}, {type: 8}]}]}\n"
		"  ingressDeny:\n"
		"  - {fromEntities: [world], toPorts: [{ports: [{port: '22'}]}]}\n"
		"specs:\n- {nodeSelector: {}, ingress: [{}]}\n"
		"status: {}\n";
	struct policy_set *set = help_set(ALL, NULL);

	ck_assert_uint_eq(policy_set_policies(set), 1);
	ck_assert_uint_eq(policy_set_rules(set), 10);
	ck_assert(policy_set_needs_headers(set));
	policy_set_free(set);
}
END_TEST

Suite *object_suite(void)
{
	Suite *suite = suite_create("policy/object");
	TCase *tc = tcase_create("object");

	tcase_add_loop_test(tc, mistakes_are_named, 0, sizeof(WRONG) / sizeof(WRONG[0]));
	tcase_add_test(tc, egress_is_noted);
	tcase_add_test(tc, the_whole_schema_is_taken);
	suite_add_tcase(suite, tc);
	return suite;
}
