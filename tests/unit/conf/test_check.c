#include "conf/check.h"

#include "say.h"
#include "suites.h"

#include <string.h>

#define HEAD      "version: 1\n"
#define LISTEN    HEAD "listen: [{tcp: 127.0.0.1:1}]\n"
#define PROVIDER  "{name: p, issuer: https://h, audiences: [a]"
#define PROVIDERS LISTEN "providers:\n  - " PROVIDER "}\n"
#define ROLES     "roles: [{name: r, labels: [a=b]}]\n"
#define ONE_OF                                                                                     \
	"a condition needs exactly one of 'equals', 'any', 'all', 'prefix', 'glob', 'at_least', "  \
	"'at_most' and 'exists'\n"
#define ABOUT                                                                                      \
	"a condition looks at exactly one of 'claim', 'actor', 'cert', 'scope', 'source' and "     \
	"'workload'\n"
#define WITH_ROLE(row) PROVIDERS "roles:\n  - {name: r, labels: [a=b]" row "}\n"

static const struct say_row ROWS[] = {
	{HEAD "listen: [{mode: 0600}]\nproviders: [" PROVIDER "}]\n" ROLES,
		"f:2:10: an entry of 'listen' needs 'unix' or 'tcp'\n"},
	{HEAD "listen:\n  - {unix: /x, tcp: 127.0.0.1:1}\nproviders: [" PROVIDER "}]\n" ROLES,
		"f:3:21: 'unix' and 'tcp' exclude each other; make two entries\n"},
	{HEAD "listen:\n  - {tcp: 127.0.0.1:1, mode: 0600, group: g}\nproviders: [" PROVIDER
	      "}]\n" ROLES,
		"f:3:30: 'mode' is for unix sockets only\nf:3:43: 'group' is for unix sockets "
		"only\n"},
	{LISTEN "providers:\n  - " PROVIDER ", networks: [10.0.0.0/8, 10.0.0.1/8]}\n" ROLES,
		"f:4:60: '10.0.0.1/8' is no network; write 10.0.0.0/8 or fd00::/8, without bits "
		"behind the length\n"},
	{LISTEN "providers:\n  - " PROVIDER ", proxy: 'http://p:3128'}\n" ROLES, ""},
	{LISTEN "providers:\n  - " PROVIDER ", proxy: 'socks5://p:1'}\n" ROLES,
		"f:4:57: 'proxy' must be http://HOST:PORT\n"},
	{LISTEN "providers:\n  - " PROVIDER ", proxy: 'http://u:p@p:1'}\n" ROLES,
		"f:4:57: 'proxy' must be http://HOST:PORT\n"},
	{LISTEN "providers:\n  - " PROVIDER ", refresh_min: 2h}\n" ROLES,
		"f:4:63: 'refresh_min' is above 'refresh_max'\n"},
	{LISTEN "providers:\n  - " PROVIDER ", refresh: 2h, keep: 1h}\n" ROLES,
		"f:4:69: 'keep' is below 'refresh'\n"},
	{LISTEN "providers:\n  - " PROVIDER ", pem_uri: https://h/, jwks_file: /k}\n" ROLES,
		"f:4:59: 'jwks_file' and 'pem_uri' exclude each other\n"},
	{MINIMAL "public: {tcp: '127.0.0.1:1', unix: /x, mode: 0600}\n",
		"f:5:15: 'unix' and 'tcp' exclude each other\n"},
	{MINIMAL "public: {tcp: '127.0.0.1:1', mode: 0600}\n",
		"f:5:36: 'mode' is for unix sockets only\n"},
	{MINIMAL "public: {tcp: '127.0.0.1:1', tls_cert: /c}\n",
		"f:5:40: 'tls_cert' and 'tls_key' need each other\n"},
	{MINIMAL "public: {tls_cert: /c, tls_key: /k}\n",
		"f:5:20: 'tls_cert' needs 'tcp' or 'unix'\n"},
	{MINIMAL "admin: {tcp: '127.0.0.1:1'}\n",
		"f:5:14: 'tcp' needs 'client_ca', 'token_file' or 'read_token_file'\n"},
	{MINIMAL "admin: {tcp: '192.0.2.1:1', token_file: /t}\n",
		"f:5:14: 'tcp' needs 'tls_cert' where it is no loopback address\n"},
	{MINIMAL "admin: {tcp: '192.0.2.1:1', token_file: /t, tls_cert: /c}\n",
		"f:5:55: 'tls_cert' needs 'tls_key'\n"},
	{MINIMAL "admin: {tcp: '[::1]:1', token_file: /t}\n", ""},
	{MINIMAL "public: {unix: /x, mode: 0600, tls_cert: /c, tls_key: /k}\n", ""},
	{HEAD "listen:\n  - {tcp: 127.0.0.1:1, users: [u], groups: g}\n  - {unix: /x, allow: "
	      "['::1'], tls: {cert: /c}}\nproviders: [" PROVIDER "}]\n" ROLES,
		"f:3:31: 'users' is for unix sockets only\nf:3:44: 'groups' is for unix sockets "
		"only\nf:4:23: 'allow' is for tcp only\nf:4:37: 'tls' is for tcp only\n"
		"f:4:37: 'tls' needs 'cert' and 'key'\n"},
	{HEAD "listen: [{tcp: '0.0.0.0:1'}, {tcp: '[::]:1'}, {tcp: '[::1]:1'}, {tcp: "
	      "127.9.9.9:1}]\nproviders: [" PROVIDER "}]\n" ROLES,
		"f:2:16: 'allow' must say who may connect to 0.0.0.0, which is no loopback "
		"address\nf:2:36: 'allow' must say who may connect to ::, which is no loopback "
		"address\n"},
	{HEAD "listen: [{tcp: '0.0.0.0:1', allow: [10.0.0.0/8, 10.0.0.1/8, h, '2001:db8::/32', "
	      "'::/129']}]\nproviders: [" PROVIDER "}]\n" ROLES,
		"f:2:49: '10.0.0.1/8' has bits behind its length\n"
		"f:2:61: 'h' is no address or range of addresses\n"
		"f:2:81: '::/129' is no address or range of addresses\n"},
	{HEAD "listen: [{tcp: '0.0.0.0:1', allow: 10.0.0.0/7}]\nproviders: [" PROVIDER "}]\n" ROLES,
		""},
	{HEAD "listen: [{tcp: 127.0.0.1:1, tls: {cert: /c, client: optional, client_names: "
	      "n}}]\nproviders: [" PROVIDER "}]\n" ROLES,
		"f:2:34: 'tls' needs 'cert' and 'key'\n"
		"f:2:34: 'client' and 'client_names' need 'client_ca'\n"},
	{MINIMAL "spop: {deadline: 500ms, hello_timeout: 500ms}\n",
		"f:5:18: 'deadline' must be below 'hello_timeout'\n"},
	{MINIMAL "spop: {hello_timeout: 100ms}\n",
		"f:5:7: 'deadline' must be below 'hello_timeout'\n"},
	{MINIMAL "spop: {deadline: 99ms, hello_timeout: 100ms}\n", ""},
	{MINIMAL "spop: {idle_timeout: 60s}\n", "f:5:22: 'idle_timeout' must be 0 or above 60s\n"},
	{MINIMAL "spop: {idle_timeout: 61s}\n", ""},
	{MINIMAL "identity: {local_min: 300, local_max: 299}\n",
		"f:5:23: 'local_min' is larger than 'local_max'\n"},
	{MINIMAL "identity: {local_min: 300, local_max: 300}\n", ""},
	{MINIMAL "identity: {local_min: 65536}\n",
		"f:5:23: 'local_min' is larger than 'local_max'\n"},
	{MINIMAL "identity: {namespace: -a, cluster: a-}\n",
		"f:5:23: 'namespace' must start and end with a letter or a digit\n"
		"f:5:36: 'cluster' must start and end with a letter or a digit\n"},
	{MINIMAL "exports: [email, a.b_C1, 'x-y', https://c, email]\n",
		"f:5:26: 'x-y' cannot name a variable: at most 40 letters, digits, '_' and '.'\n"
		"f:5:33: 'https://c' cannot name a variable: at most 40 letters, digits, '_' and "
		"'.'\n"
		"f:5:44: 'email' is exported twice\n"},
	{MINIMAL "challenge: {realm: 'a\"b'}\n", "f:5:20: 'realm' cannot hold '\"' or '\\'\n"},
	{LISTEN "providers:\n  - " PROVIDER "}\n  - " PROVIDER "}\n" ROLES,
		"f:5:12: provider 'p' is given twice, first on line 4\n"},
	{LISTEN "providers:\n  - {name: p, issuer: http://h, audiences: [a]}\n" ROLES,
		"f:4:23: 'issuer' must begin with https:// (http:// only with allow_http: true)\n"},
	{LISTEN "providers:\n  - {name: p, issuer: http://h, audiences: [a], allow_http: "
		"true}\n" ROLES,
		""},
	{LISTEN "providers:\n  - " PROVIDER ", allow_http: true}\n" ROLES, ""},
	{LISTEN "providers:\n  - " PROVIDER ", jwks_uri: http://h/k}\n" ROLES,
		"f:4:60: 'jwks_uri' must begin with https:// (http:// only with allow_http: "
		"true)\n"},
	{LISTEN "providers:\n  - " PROVIDER ", jwks_uri: 'https://h/k?a=b'}\n" ROLES, ""},
	{LISTEN "providers:\n  - {name: p, issuer: 'https://h?a', audiences: [a]}\n" ROLES,
		"f:4:23: 'issuer' cannot have a query\n"},
	{LISTEN "providers:\n  - " PROVIDER ", jwks_uri: https://h/k, jwks_file: /k}\n" ROLES,
		"f:4:60: 'jwks_file' and 'jwks_uri' exclude each other\n"},
	{LISTEN "providers:\n  - {name: p, issuer: https://h, audiences: []}\n" ROLES,
		"f:4:45: 'audiences' is too small: at least 1 entries\n"},
	{LISTEN "providers:\n  - {name: p, issuer: https://h}\n" ROLES,
		"f:4:5: 'audiences' is missing; it takes a list of texts, for example [api]\n"},
	{LISTEN "providers:\n  - {name: p, audiences: [a]}\n" ROLES,
		"f:4:5: 'issuer' is missing; it takes a text, for example "
		"https://idp.example.com\n"},
	/* certificates alone, SVIDs */
	{LISTEN "providers:\n  - {name: p, trust_bundle: /b}\n" ROLES, ""},
	{LISTEN "providers:\n  - {name: p, trust_domain: d, trust_bundle: /b}\n" ROLES, ""},
	{LISTEN "providers:\n  - {name: p, profile: spiffe, trust_domain: d, jwks_file: /k, "
		"audiences: [a]}\n" ROLES,
		""},
	{LISTEN "providers:\n  - {name: p, profile: spiffe, trust_domain: d, jwks_file: "
		"/k}\n" ROLES,
		"f:4:5: 'audiences' is missing; it takes a list of texts, for example [api]\n"},
	{LISTEN "providers:\n  - {name: p, profile: spiffe, trust_domain: d, audiences: "
		"[a]}\n" ROLES,
		"f:4:5: 'trust_domain' needs 'trust_bundle', 'jwks_file' or 'jwks_uri'\n"},
	{LISTEN "providers:\n  - {name: p, trust_domain: D, trust_bundle: /b}\n" ROLES,
		"f:4:29: 'trust_domain' is small letters, digits, '.', '-' and '_'\n"},
	{LISTEN "providers:\n  - {name: p, trust_domain: d, jwks_file: /b, audiences: [a], "
		"algorithms: [RS256, EdDSA]}\n" ROLES,
		"f:4:75: a JWT-SVID cannot be signed with EdDSA\n"},
	/* secrets */
	{LISTEN "providers:\n  - " PROVIDER ", algorithms: [HS256], secret_file: /s}\n" ROLES, ""},
	{LISTEN "providers:\n  - " PROVIDER ", algorithms: [HS256]}\n" ROLES,
		"f:4:62: HS256, HS384 and HS512 need 'secret_file'\n"},
	{LISTEN "providers:\n  - " PROVIDER
		", algorithms: [HS256, HS512], secret_file: /s}\n" ROLES,
		"f:4:62: a provider with 'secret_file' has exactly one algorithm: HS256, HS384 or "
		"HS512\n"},
	{LISTEN "providers:\n  - " PROVIDER ", algorithms: [HS256], secret_file: /s, jwks_file: "
		"/k}\n" ROLES,
		"f:4:99: 'secret_file' and 'jwks_file' exclude each other\n"},
	{LISTEN "providers:\n  - " PROVIDER ", secret_file: /s}\n" ROLES,
		"f:4:5: a provider with 'secret_file' has exactly one algorithm: HS256, HS384 or "
		"HS512\n"},
	/* tenants */
	{LISTEN "providers:\n  - {name: p, issuer: 'https://h/{tenantid}/v2.0', audiences: [a], "
		"jwks_uri: https://h/k, tenants: [t]}\n" ROLES,
		""},
	{LISTEN "providers:\n  - {name: p, issuer: 'https://h/{tenantid}/v2.0', audiences: "
		"[a]}\n" ROLES,
		"f:4:23: an issuer with {tenantid} needs 'jwks_uri' or 'jwks_file'\n"},
	{LISTEN "providers:\n  - {name: p, issuer: 'https://h/{tenant}', audiences: [a]}\n" ROLES,
		"f:4:23: 'issuer' holds a character that a URL cannot have\n"},
	{LISTEN "providers:\n  - " PROVIDER ", tenants: [t]}\n" ROLES,
		"f:4:59: 'tenants' needs an issuer with {tenantid}\n"},
	/* balancers */
	{LISTEN "providers:\n  - " PROVIDER ", padding: true, require: [{claim: signer, equals: "
		"arn}]}\n" ROLES,
		""},
	{LISTEN "providers:\n  - " PROVIDER ", padding: true, require: [{claim: signer, exists: "
		"true}]}\n" ROLES,
		"f:4:5: a provider with 'padding' needs a condition in 'require': the claim signer "
		"equals the load balancer's ARN\n"},
	/* requirements, exports */
	{LISTEN "providers:\n  - " PROVIDER ", require: [{source: 10.0.0.0/8}]}\n" ROLES,
		"f:4:69: 'require' looks at 'claim', 'actor' and 'scope' only\n"},
	{LISTEN "providers:\n  - " PROVIDER ", require: [{claim: c}]}\n" ROLES, "f:4:60: " ONE_OF},
	{LISTEN "providers:\n  - " PROVIDER ", exports: [{name: a-b, claim: c}, {name: d, claim: "
		"[e, f]}, {name: d, claim: g}]}\n" ROLES,
		"f:4:67: 'a-b' cannot name a variable: at most 40 letters, digits, '_' and '.'\n"
		"f:4:116: 'd' is exported twice\n"},
	{WITH_ROLE(", provider: q"), "f:6:40: there is no provider 'q'\n"},
	{WITH_ROLE(", provider: p"), ""},
	/* The provider that is meant may be the one whose name is wrong. */
	{LISTEN "providers: [{name: P, issuer: https://h, audiences: [a]}]\n"
		"roles: [{name: r, labels: [a=b], provider: q}]\n",
		"f:3:20: 'name' is 'P'; it takes a name of a-z, 0-9 and '-', for example corp\n"},
	{PROVIDERS "roles:\n  - {name: r, labels: [a=b]}\n  - {name: r, labels: [c=d]}\n",
		"f:7:12: role 'r' is given twice, first on line 6\n"},
	{WITH_ROLE(", when: [{claim: c}]"), "f:6:37: " ONE_OF},
	{WITH_ROLE(", when: [{claim: c, any: [a], all: [b]}]"), "f:6:63: " ONE_OF},
	{WITH_ROLE(", when: [{claim: c, exists: true, equals: a}]"), "f:6:70: " ONE_OF},
	{WITH_ROLE(", when: [{any: a}]"), "f:6:37: " ABOUT},
	{WITH_ROLE(", when: [{claim: c, actor: sub, exists: true}]"), "f:6:55: " ABOUT},
	{WITH_ROLE(", when: [{actor: sub, prefix: a}, {cert: dns, glob: '*.b'}, {scope: [x, y]}]"),
		""},
	{WITH_ROLE(", when: [{source: [10.0.0.0/8, '::1'], proxied: true}]"), ""},
	{WITH_ROLE(", when: [{source: 10.0.0.1/8}]"),
		"f:6:46: '10.0.0.1/8' is no network: bits behind its length are set\n"},
	{WITH_ROLE(", when: [{source: ten}]"), "f:6:46: 'ten' is no network\n"},
	{WITH_ROLE(", when: [{scope: x, equals: y}]"),
		"f:6:56: 'scope', 'source' and 'workload' stand alone, without a test\n"},
	{WITH_ROLE(", when: [{claim: c, exists: true, proxied: true}]"),
		"f:6:71: 'proxied' goes with 'source' only\n"},
	{WITH_ROLE(", when: [{claim: c, at_least: 1.5}, {claim: c, at_most: -2e3}]"), ""},
	{WITH_ROLE(", when: [{claim: c, at_least: 0x10}]"),
		"f:6:58: 'at_least' is '0x10'; it takes a number\n"},
	{WITH_ROLE(", when: [{cert: cn, exists: true}]"),
		"f:6:44: 'cert' is 'cn'; it takes a list of texts out of uri, dns, email, ip, "
		"subject, issuer, serial, fingerprint, for example dns\n"},
	{WITH_ROLE(", when: [{claim: c, exists: false}]"),
		"f:6:56: 'exists' is 'false'; it takes only true, for example true\n"},
	{WITH_ROLE(", when: [{claim: c, equals: [a, b]}]"),
		"f:6:56: 'equals' is too large: at most 1 entries\n"},
	{WITH_ROLE(", number: 127"), "f:6:38: 'number' is too small: at least 128\n"},
	{WITH_ROLE(", number: 16777216"), "f:6:38: 'number' is too large: at most 16777215\n"},
	{PROVIDERS "roles:\n  - {name: r, labels: [a=b], number: 200}\n"
		   "  - {name: s, labels: [c=d], number: 200}\n",
		"f:7:38: number 200 has other labels on line 6\n"},
	{PROVIDERS "roles:\n  - {name: r, labels: [a=b, c], number: 200}\n"
		   "  - {name: s, labels: ['k8s:c=', k8s:a=b], number: 200}\n",
		""},
	{PROVIDERS "roles:\n  - {name: r, labels: [a=b], number: 200}\n"
		   "  - {name: s, labels: [k8s:a=b], number: 201}\n",
		"f:7:42: these labels have number 200 on line 6\n"},
	{PROVIDERS "roles:\n  - {name: r, labels: [a=b], number: 200}\n"
		   "  - {name: s, labels: [a=b]}\n",
		""},
};

START_TEST(names_what_does_not_fit)
{
	/* Values that do not fit together are named at the one that has to change. */
	ck_assert_str_eq(say_conf(ROWS[_i].text), ROWS[_i].said);
}
END_TEST

SUITE(check, EACH(names_what_does_not_fit, ROWS))
