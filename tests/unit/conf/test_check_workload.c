#include "conf/check_place.h"

#include "say.h"
#include "suites.h"

#define HEAD         "version: 1\nlisten: [{tcp: 127.0.0.1:1}]\n"
#define NAMED(name)  HEAD "providers: [{name: " name ", issuer: https://h, audiences: [a]}]\n"
#define ROLE(more)   "roles: [{name: r, labels: [a=b]" more "}]\n"
#define GOOD         NAMED("p") ROLE("")
#define RANGES       "ranges: [10.0.0.0/8, 'fd00::/8']"
#define ENTRY(where) "{addresses: " where ", labels: [a=b]}"

static const struct say_row ROWS[] = {
	{GOOD "workloads: {" RANGES ", ipcache: /p, labels_file: /f, unknown: deny, entries: ["
	      "{addresses: [10.0.1.7, 'fd00::/64'], labels: [a=b], pod: p-0}]}\n",
		""},
	{GOOD "workloads: {ranges: [10.0.0.1/8]}\n",
		"f:5:22: '10.0.0.1/8' is no network: bits behind its length are set\n"},
	{GOOD "workloads: {ranges: [pods]}\n", "f:5:22: 'pods' is no network\n"},
	{GOOD "workloads: {ranges: [0.0.0.0/0]}\n", "f:5:22: '0.0.0.0/0' is every address\n"},
	{GOOD "workloads: {ranges: '::/0'}\n", "f:5:21: '::/0' is every address\n"},
	{GOOD "workloads: {ranges: ['::ffff:0.0.0.0/96']}\n",
		"f:5:22: '::ffff:0.0.0.0/96' is every address\n"},
	{GOOD "workloads: {ipcache: /p, labels_file: /f}\n",
		"f:5:22: 'ipcache' needs 'ranges'\nf:5:39: 'labels_file' needs 'ranges'\n"},
	{GOOD "workloads: {" RANGES ", entries: [" ENTRY("[192.0.2.1]") "]}\n",
		"f:5:70: '192.0.2.1' is not within 'ranges'\n"},
	{GOOD "workloads: {" RANGES ", entries: [" ENTRY("[0.0.0.0/4]") "]}\n",
		"f:5:70: '0.0.0.0/4' is not within 'ranges'\n"},
	{GOOD "workloads: {" RANGES ", entries: [" ENTRY("nowhere") "]}\n",
		"f:5:69: 'nowhere' is no network\n"},
	{NAMED("workload") ROLE(""),
		"f:3:20: 'workload' stands for callers without a token; no provider can have it\n"},
	{NAMED("p") ROLE(", provider: workload"),
		"f:4:44: callers without a token need 'ranges' in 'workloads'\n"},
	{NAMED("p") ROLE(", provider: workload") "workloads: {" RANGES "}\n", ""},
	{NAMED("p") ROLE(", when: [{workload: [app=a, 'k8s:b=']}]") "workloads: {" RANGES "}\n",
		""},
	{NAMED("p") ROLE(", when: [{workload: app=a}]"),
		"f:4:52: 'workload' needs 'ranges' in 'workloads'\n"},
	{NAMED("p") ROLE(", when: [{workload: app}]") "workloads: {" RANGES "}\n",
		"f:4:52: 'app' is no label: source:key=value\n"},
	{NAMED("p") ROLE(", when: [{workload: app=a, equals: b}]") "workloads: {" RANGES "}\n",
		"f:4:67: 'scope', 'source' and 'workload' stand alone, without a test\n"},
	{NAMED("p") ROLE(", provider: workload, when: [{source: 10.0.0.0/8}, {claim: a, "
			 "exists: true}, {scope: s}]") "workloads: {" RANGES "}\n",
		"f:4:91: a caller without a token has no 'claim'\n"
		"f:4:117: a caller without a token has no 'scope'\n"},
};

START_TEST(rows)
{
	/* Who is known by an address is bounded, and a role that could never fit is named. */
	ck_assert_str_eq(say_conf(ROWS[_i].text), ROWS[_i].said);
}
END_TEST

SUITE(check_workload, EACH(rows, ROWS))
