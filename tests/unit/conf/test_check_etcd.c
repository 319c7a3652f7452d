#include "conf/check_place.h"

#include "say.h"
#include "suites.h"

#define HEAD "version: 1\nlisten: [{tcp: 127.0.0.1:1}]\n"
#define GOOD                                                                                       \
	HEAD "providers: [{name: p, issuer: https://h, audiences: [a]}]\n"                         \
	     "roles: [{name: r, labels: [a=b]}]\n"
#define FIXED(how)                                                                                 \
	HEAD "providers: [{name: p, issuer: https://h, audiences: [a]}]\n"                         \
	     "roles: [{name: r, labels: [a=b], number: " how "}]\n"
#define MESH(more)                                                                                 \
	GOOD "identity: {cluster: lbfarm}\netcd: {endpoints: https://e, mode: clustermesh" more    \
	     "}\n"

static const struct say_row ROWS[] = {
	{GOOD "etcd: {endpoints: [https://a:2379, 'https://[fd00::1]:2379']}\n", ""},
	{GOOD "etcd: {endpoints: [http://127.0.0.1:2379]}\n", ""},
	{GOOD "etcd: {endpoints: [http://10.0.0.1:2379], allow_http: true}\n", ""},
	{GOOD "etcd: {endpoints: [http://10.0.0.1:2379]}\n",
		"f:5:20: endpoint 'http://10.0.0.1:2379' must begin with https:// (http:// only "
		"with "
		"allow_http: true)\n"},
	{GOOD "etcd: {endpoints: [https://a/v3]}\n",
		"f:5:20: endpoint 'https://a/v3' has a path; write https://HOST:PORT\n"},
	{GOOD "etcd: {user: u, password_file: /p}\n",
		"f:5:14: 'user' needs 'endpoints'\nf:5:32: 'password_file' needs 'endpoints'\n"},
	{GOOD "etcd: {endpoints: https://a, cluster_id: 256}\n",
		"f:5:42: a 'cluster_id' above 255 needs 'bpf.clusters' to be 511\n"},
	{GOOD "bpf: {clusters: 511}\netcd: {endpoints: https://a, cluster_id: 511}\n", ""},
	{GOOD "etcd: {endpoints: https://a, node: a/b}\n",
		"f:5:36: 'node' must not hold a slash\n"},
	{GOOD "etcd: {endpoints: https://a, prefix: 'a b'}\n",
		"f:5:38: 'prefix' must not hold a blank\n"},
	{GOOD "etcd: {endpoints: https://a, when_away: local}\n",
		"f:5:41: local numbers (identity.local_min to local_max) must be none of the "
		"cluster's, 0 to 65535\n"},
	{GOOD "identity: {local_min: 16000000, local_max: 16777215}\n"
	      "etcd: {endpoints: https://a, when_away: local}\n",
		""},
	{FIXED("300") "etcd: {endpoints: https://a}\n",
		"f:4:42: with 'etcd.endpoints' a fixed number must be none of the cluster's, 256 "
		"to 65535\n"},
	{FIXED("65535") "etcd: {endpoints: https://a}\n",
		"f:4:42: with 'etcd.endpoints' a fixed number must be none of the cluster's, 256 "
		"to 65535\n"},
	{FIXED("327936") "bpf: {clusters: 511}\netcd: {endpoints: https://a, cluster_id: 10}\n",
		"f:4:42: with 'etcd.endpoints' a fixed number must be none of the cluster's, "
		"327936 to 360447\n"},
	{FIXED("327935") "bpf: {clusters: 511}\netcd: {endpoints: https://a, cluster_id: 10}\n",
		""},
	{FIXED("65536") "etcd: {endpoints: https://a}\n", ""},
	{FIXED("200") "etcd: {endpoints: https://a}\n", ""},
	{FIXED("300, number_from: etcd") "etcd: {endpoints: https://a}\n", ""},
	{FIXED("300") "etcd: {node: n}\n", "f:5:14: 'node' needs 'endpoints'\n"},
	{MESH(", cluster_id: 5"), ""},
	{MESH(""), "f:6:36: clustermesh needs a 'cluster_id' above 0\n"},
	{GOOD "etcd: {endpoints: https://e, mode: clustermesh, cluster_id: 5}\n",
		"f:5:36: clustermesh needs 'identity.cluster' to be a name of at most 32 "
		"characters, and not \"default\"\n"},
};

START_TEST(rows)
{
	/* An etcd that could not be meant is refused before it is asked. */
	ck_assert_str_eq(say_conf(ROWS[_i].text), ROWS[_i].said);
}
END_TEST

SUITE(check_etcd, EACH(rows, ROWS))
