#include "conf/keys.h"

#include "conf/conf.h"
#include "conf/table.h"

#include <assert.h>

#define MS    INT64_C(1)
#define S     (1000 * MS)
#define M     (60 * S)
#define H     (60 * M)
#define D     (24 * H)
#define KIB   INT64_C(1024)
#define COUNT INT64_C(1000000)

#define SOCKET_PATH_MAX 107      /* sun_path of unix(7), less its NUL */
#define NAME_MAX_BYTES  63       /* a DNS label, a Kubernetes label value */
#define GROUP_MAX       32       /* a group's name in Linux */
#define NUMBER_MAX      0xFFFFFF /* 24 bits: cilium pkg/identity/numericidentity.go */
#define LABELS_MAX      62       /* 64 in a set; namespace and cluster come on top */

static_assert(offsetof(struct conf_listen, pos) == 0, "bind writes the position there");
static_assert(offsetof(struct conf_provider, pos) == 0, "bind writes the position there");
static_assert(offsetof(struct conf_condition, pos) == 0, "bind writes the position there");
static_assert(offsetof(struct conf_role, pos) == 0, "bind writes the position there");

static const struct conf_key LISTEN[] = {
	{"unix", CONF_PATH, AT(conf_listen, unix_path), RANGE(2, SOCKET_PATH_MAX),
		.example = "/run/identityd/spop.sock",
		.help = "Unix socket on which HAProxy is awaited; each entry has either this or "
			"tcp."},
	{"mode", CONF_MODE, AT(conf_listen, mode), RANGE(0, 0777), .fallback = "0660",
		.help = "Permission bits of the unix socket."},
	{"group", CONF_TEXT, AT(conf_listen, group), RANGE(1, GROUP_MAX), .example = "haproxy",
		.help = "Group of the unix socket, by name or number; without it the daemon's "
			"own."},
	{"tcp", CONF_ADDRESS, AT(conf_listen, tcp_host), RANGE(1, 65535),
		.second = offsetof(struct conf_listen, tcp_port), .example = "127.0.0.1:9909",
		.help = "Literal address and port on which HAProxy is awaited; nobody proves who "
			"they are there, so no map is written for such a peer."},
};

static const struct conf_key SPOP[] = {
	{"max_frame_size", CONF_SIZE, AT(conf, spop.max_frame_size), RANGE(256, 65532),
		.fallback = "16380",
		.help = "Largest SPOP frame that is offered to HAProxy, which itself allows "
			"tune.bufsize less 4."},
	{"max_message_size", CONF_SIZE, AT(conf, spop.max_message_size), RANGE(256, 1024 * 1024),
		.fallback = "64KiB", .reloadable = true,
		.help = "Largest NOTIFY that HAProxy up to 3.0 may send in several frames; not "
			"above max_frame_size, it may not."},
	{"deadline", CONF_DURATION, AT(conf, spop.deadline), RANGE(5 * MS, 999 * MS),
		.fallback = "150ms", .reloadable = true,
		.help = "Time for one answer, after which it is an error verdict; keep it below "
			"HAProxy's timeout processing."},
	{"hello_timeout", CONF_DURATION, AT(conf, spop.hello_timeout), RANGE(100 * MS, 1 * M),
		.fallback = "5s", .reloadable = true,
		.help = "Time for a peer to complete a frame, its HELLO first of all, and to read "
			"its "
			"answers, before the connection is closed."},
	{"max_connections", CONF_INT, AT(conf, spop.max_connections), RANGE(1, 65536),
		.fallback = "1024",
		.help = "Connections from HAProxy that are open at once, over all listeners."},
	{"max_waiting", CONF_INT, AT(conf, spop.max_waiting), RANGE(1, COUNT), .fallback = "4096",
		.help = "Requests that may wait for keys at once; past this the verdict is an "
			"error at once."},
	{"drain_timeout", CONF_DURATION, AT(conf, spop.drain_timeout), RANGE(0, 10 * M),
		.fallback = "10s", .reloadable = true,
		.help = "Time after SIGTERM in which open requests are still answered."},
};

static const struct conf_key ADMIN[] = {
	{"unix", CONF_PATH, AT(conf, admin.unix_path), RANGE(2, SOCKET_PATH_MAX),
		.fallback = "/run/identityd/admin.sock",
		.help = "Unix socket for identityctl and metrics."},
	{"mode", CONF_MODE, AT(conf, admin.mode), RANGE(0, 0777), .fallback = "0660",
		.help = "Permission bits of the admin socket."},
	{"group", CONF_TEXT, AT(conf, admin.group), RANGE(1, GROUP_MAX), .example = "identityd",
		.help = "Group of the admin socket, by name or number; without it the daemon's "
			"own."},
};

static const struct conf_key PUBLIC[] = {
	{"unix", CONF_PATH, AT(conf, public.listen.unix_path), RANGE(2, SOCKET_PATH_MAX),
		.example = "/run/identityd/public.sock",
		.help = "Unix socket for what strangers may ask, behind HAProxy for example; "
			"without it and tcp there is no such listener."},
	{"mode", CONF_MODE, AT(conf, public.listen.mode), RANGE(0, 0777), .fallback = "0660",
		.help = "Permission bits of the public unix socket."},
	{"group", CONF_TEXT, AT(conf, public.listen.group), RANGE(1, GROUP_MAX),
		.example = "haproxy",
		.help = "Group of the public unix socket, by name or number; without it the "
			"daemon's own."},
	{"tcp", CONF_ADDRESS, AT(conf, public.listen.tcp_host), RANGE(1, 65535),
		.second = offsetof(struct conf, public.listen.tcp_port),
		.example = "192.0.2.10:9443",
		.help = "Literal address and port for what strangers may ask."},
	{"tls_cert", CONF_PATH, AT(conf, public.tls_cert), RANGE(2, 1024),
		.example = "/etc/identityd/public.pem",
		.help = "Certificate chain of the public listener; without it plain http."},
	{"tls_key", CONF_PATH, AT(conf, public.tls_key), RANGE(2, 1024),
		.example = "/etc/identityd/public.key", .help = "Private key of that certificate."},
};

static const struct conf_key STORE[] = {
	{"path", CONF_PATH, AT(conf, store.path), RANGE(2, 1024),
		.fallback = "/var/lib/identityd/state.db",
		.help = "File for what must outlive the process: numbers and the last good keys."},
};

static const struct conf_key BPF[] = {
	{"mode", CONF_ENUM, AT(conf, bpf.mode), RANGE(CONF_BPF_AUTO, CONF_BPF_OFF),
		.words = "auto required off", .fallback = "auto",
		.help = "What to do without the pinned maps: auto goes on and says so loudly, "
			"required refuses to start, off does not look for them."},
	{"path", CONF_PATH, AT(conf, bpf.path), RANGE(2, 1024), .fallback = "/run/identityd/bpf",
		.help = "Folder of the pinned maps, which identityd-setup makes."},
	{"cgroup", CONF_TEXT, AT(conf, bpf.cgroup), RANGE(1, 1024), .fallback = "system.slice",
		.help = "Cgroup to which identityd-setup attaches, relative to where cgroup2 is "
			"mounted or as a whole path; one above HAProxy's own, which systemd makes "
			"anew at each restart."},
	{"group", CONF_TEXT, AT(conf, bpf.group), RANGE(1, GROUP_MAX), .fallback = "identityd",
		.help = "Group that may write the pinned maps: the daemon's, never HAProxy's."},
	{"ports", CONF_PORTS, AT(conf, bpf.ports), RANGE(0, 32), .fallback = "[]",
		.second = offsetof(struct conf, bpf.n_ports),
		.help = "Local ports whose connections are tracked: HAProxy's, where others listen "
			"in "
			"the same cgroup; an empty list means every listener there."},
	{"max_flows", CONF_INT, AT(conf, bpf.max_flows), RANGE(16, 16 * COUNT), .fallback = "65536",
		.help = "Connections that the flows map has room for."},
};

static const struct conf_key LOG[] = {
	{"level", CONF_ENUM, AT(conf, log.level), RANGE(0, 3), .words = "error warning info debug",
		.fallback = "info", .reloadable = true,
		.help = "Least important records that are still written."},
	{"decisions_per_second", CONF_INT, AT(conf, log.decisions_per_second), RANGE(0, COUNT),
		.fallback = "20", .reloadable = true,
		.help = "Log lines each second for decisions that are not ok; 0 writes all of "
			"them."},
};

static const struct conf_key AUDIT[] = {
	{"to", CONF_ENUM, AT(conf, audit.to), RANGE(CONF_AUDIT_NONE, CONF_AUDIT_STDOUT),
		.words = "none file stdout", .fallback = "none",
		.help = "Where a line for each decision goes, in the form of Hubble's flows."},
	{"path", CONF_PATH, AT(conf, audit.path), RANGE(2, 1024),
		.fallback = "/var/log/identityd/audit.log", .help = "The file, with to: file."},
	{"max_size", CONF_SIZE, AT(conf, audit.max_size), RANGE(0, 64 * 1024 * KIB * KIB),
		.fallback = "64MiB",
		.help = "Size at which the file is renamed to path.1 and begun anew; 0 leaves that "
			"to others, who then send SIGHUP."},
	{"keep", CONF_INT, AT(conf, audit.keep), RANGE(0, 99), .fallback = "5",
		.help = "Renamed files that are kept."},
	{"queue", CONF_SIZE, AT(conf, audit.queue), RANGE(64 * KIB, 256 * KIB * KIB),
		.fallback = "4MiB",
		.help = "Room for what is not yet written, for each worker; what finds none is "
			"counted and lost, and no request waits."},
	{"node", CONF_TEXT, AT(conf, audit.node), RANGE(1, 253), .example = "default/edge1",
		.help = "Name of this node as cluster/node; without it identity.cluster and the "
			"host's name."},
	{"allowed", CONF_INT, AT(conf, audit.allowed), RANGE(0, COUNT), .fallback = "1",
		.reloadable = true,
		.help = "Of so many allowed requests one is written; 0 writes none of them. What "
			"is denied or fails is always written."},
	{"keep_query", CONF_BOOL, AT(conf, audit.keep_query), RANGE(0, 1), .fallback = "false",
		.help = "Whether query strings are written; else HUBBLE_REDACTED stands there."},
	{"pseudonym_key_file", CONF_PATH, AT(conf, audit.pseudonym_key_file), RANGE(2, 1024),
		.example = "/etc/identityd/audit.key",
		.help = "File with a secret of at least 32 bytes; sub and actor are then written "
			"as 128 bits of HMAC-SHA-256 with it."},
};

static const struct conf_key IDENTITY[] = {
	{"namespace", CONF_NAME, AT(conf, identity.namespace), RANGE(1, NAME_MAX_BYTES),
		.fallback = "identity-edge", .reloadable = true,
		.help = "Kubernetes namespace that every identity carries as a label; no workload "
			"may run in it."},
	{"cluster", CONF_NAME, AT(conf, identity.cluster), RANGE(1, NAME_MAX_BYTES),
		.fallback = "default", .reloadable = true,
		.help = "Cluster name that every identity carries as a label."},
	{"local_min", CONF_INT, AT(conf, identity.local_min), RANGE(256, NUMBER_MAX),
		.fallback = "256", .reloadable = true,
		.help = "Lowest number that is allocated here."},
	{"local_max", CONF_INT, AT(conf, identity.local_max), RANGE(256, NUMBER_MAX),
		.fallback = "65535", .reloadable = true,
		.help = "Highest number that is allocated here."},
};

static const struct conf_key CHALLENGE[] = {
	{"realm", CONF_TEXT, AT(conf, challenge.realm), RANGE(1, 64), .fallback = "identityd",
		.reloadable = true, .help = "Realm in the WWW-Authenticate header of a 401."},
};

static const struct conf_key PROVIDER[] = {
	{"name", CONF_NAME, AT(conf_provider, name), RANGE(1, NAME_MAX_BYTES), .required = true,
		.reloadable = true, .example = "corp",
		.help = "Name of the provider in roles, logs and metrics."},
	{"issuer", CONF_TEXT, AT(conf_provider, issuer), RANGE(1, 960), .required = true,
		.reloadable = true, .example = "https://idp.example.com",
		.help = "Issuer URL, compared byte for byte with the token's iss."},
	{"audiences", CONF_TEXTS, AT(conf_provider, audiences), RANGE(1, 32), .required = true,
		.reloadable = true, .example = "[api]",
		.help = "Audiences of which the token's aud must name at least one."},
	{"algorithms", CONF_TEXTS, AT(conf_provider, algorithms), RANGE(1, 11),
		.words = "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519",
		.fallback = "[RS256, ES256]", .reloadable = true,
		.help = "Signature algorithms that tokens of this provider may use."},
	{"types", CONF_TEXTS, AT(conf_provider, types), RANGE(0, 16), .fallback = "[at+jwt, jwt]",
		.reloadable = true,
		.help = "Accepted values of the token's typ header, whatever their case; an empty "
			"list accepts any."},
	{"type_required", CONF_BOOL, AT(conf_provider, type_required), RANGE(0, 1),
		.fallback = "false", .reloadable = true,
		.help = "Whether a token without a typ header is refused."},
	{"leeway", CONF_DURATION, AT(conf_provider, leeway), RANGE(0, 300 * S), .fallback = "30s",
		.reloadable = true,
		.help = "How far the clocks of provider and agent may differ, for exp, nbf and "
			"iat."},
	{"max_lifetime", CONF_DURATION, AT(conf_provider, max_lifetime), RANGE(0, 3660 * D),
		.fallback = "24h", .reloadable = true,
		.help = "Longest time from a token's iat to its exp; 0 means no limit."},
	{"max_token_size", CONF_SIZE, AT(conf_provider, max_token_size), RANGE(256, 16 * KIB),
		.fallback = "8KiB", .reloadable = true, .help = "Longest token that is looked at."},
	{"jwks_file", CONF_PATH, AT(conf_provider, jwks_file), RANGE(2, 1024), .reloadable = true,
		.example = "/etc/identityd/corp.jwks",
		.help = "File with the provider's keys; without it they come from jwks_uri."},
	{"jwks_uri", CONF_TEXT, AT(conf_provider, jwks_uri), RANGE(1, 1024), .reloadable = true,
		.example = "https://idp.example.com/keys",
		.help = "URL of the provider's keys; without it discovery at the issuer finds "
			"them."},
	{"pem_uri", CONF_TEXT, AT(conf_provider, pem_uri), RANGE(1, 900), .reloadable = true,
		.example = "https://public-keys.auth.elb.eu-west-1.amazonaws.com/",
		.help = "URL behind which the token's key id names a PEM file, for providers that "
			"have no key set."},
	{"jwks_token_file", CONF_PATH, AT(conf_provider, jwks_token_file), RANGE(2, 1024),
		.reloadable = true,
		.example = "/var/run/secrets/kubernetes.io/serviceaccount/token",
		.help = "File with the bearer token that the provider wants to see before it shows "
			"its keys; read anew for each fetch."},
	{"allow_http", CONF_BOOL, AT(conf_provider, allow_http), RANGE(0, 1), .fallback = "false",
		.reloadable = true,
		.help = "Whether plain http is good enough for this provider; anybody on the way "
			"can then forge its keys. To this machine itself it always is."},
	{"networks", CONF_TEXTS, AT(conf_provider, networks), RANGE(0, 32), .fallback = "[]",
		.reloadable = true,
		.help = "Networks in which this provider's servers may be besides public "
			"addresses, as 10.0.0.0/8; an address that is written in a URL needs "
			"none."},
	{"proxy", CONF_TEXT, AT(conf_provider, proxy), RANGE(1, 256), .reloadable = true,
		.example = "http://proxy.example.com:3128",
		.help = "HTTP proxy through which this provider is reached; none is taken from the "
			"environment."},
	{"ca_file", CONF_PATH, AT(conf_provider, ca_file), RANGE(2, 1024), .reloadable = true,
		.example = "/etc/identityd/corp-ca.pem",
		.help = "Certificates that may sign the provider's own; without it the system's."},
	{"refresh", CONF_DURATION, AT(conf_provider, refresh), RANGE(1 * S, 7 * D),
		.fallback = "10m", .reloadable = true,
		.help = "How long fetched keys are used before they are fetched again, where the "
			"provider says nothing about it."},
	{"refresh_min", CONF_DURATION, AT(conf_provider, refresh_min), RANGE(1 * S, 7 * D),
		.fallback = "1m", .reloadable = true,
		.help = "Shortest time that the provider can ask for with Cache-Control."},
	{"refresh_max", CONF_DURATION, AT(conf_provider, refresh_max), RANGE(1 * S, 7 * D),
		.fallback = "1h", .reloadable = true,
		.help = "Longest time that the provider can ask for with Cache-Control."},
	{"keep", CONF_DURATION, AT(conf_provider, keep), RANGE(1 * S, 30 * D), .fallback = "24h",
		.reloadable = true,
		.help = "How long fetched keys are trusted while the provider cannot be reached, "
			"also over a restart; then its tokens are answered 503."},
};

static const struct conf_key CONDITION[] = {
	{"claim", CONF_TEXTS, AT(conf_condition, claim), RANGE(1, 8), .required = true,
		.reloadable = true, .example = "[realm_access, roles]",
		.help = "The claim to look at: its name, or the list of names that leads to it."},
	{"equals", CONF_TEXTS, AT(conf_condition, values), RANGE(1, 1), .reloadable = true,
		.example = "admin", .help = "The claim is this text, or an array that holds it."},
	{"any", CONF_TEXTS, AT(conf_condition, values), RANGE(1, 256), .reloadable = true,
		.example = "[admin, root]",
		.help = "The claim is one of these texts, or an array that holds one of them."},
	{"all", CONF_TEXTS, AT(conf_condition, values), RANGE(1, 256), .reloadable = true,
		.example = "[read, write]", .help = "The claim holds all of these texts."},
	{"exists", CONF_BOOL, AT(conf_condition, exists), RANGE(1, 1), .reloadable = true,
		.example = "true",
		.help = "The claim is there and not null; only true is possible."},
};

static const struct conf_key ROLE[] = {
	{"name", CONF_NAME, AT(conf_role, name), RANGE(1, NAME_MAX_BYTES), .required = true,
		.reloadable = true, .example = "admin",
		.help = "Name of the role in variables, logs and metrics."},
	{"provider", CONF_NAME, AT(conf_role, provider), RANGE(1, NAME_MAX_BYTES),
		.reloadable = true, .example = "corp",
		.help = "Name of the provider whose tokens can have this role; without it any."},
	{"when", CONF_SECTIONS, AT(conf_role, when), RANGE(0, 32), .reloadable = true,
		.section = SECTIONS_OF(CONDITION, conf_condition),
		.second = offsetof(struct conf_role, n_when), .example = "[{claim: a, equals: b}]",
		.help = "Conditions that must all hold; without any the role always fits."},
	{"labels", CONF_TEXTS, AT(conf_role, labels), RANGE(1, LABELS_MAX), .required = true,
		.reloadable = true, .pos = offsetof(struct conf_role, labels_pos),
		.example = "[role=admin, k8s:app=edge]",
		.help = "Labels of the identity as source:key=value, where the source is k8s when "
			"left out; namespace and cluster are added."},
	{"number", CONF_INT, AT(conf_role, number), RANGE(128, NUMBER_MAX), .reloadable = true,
		.pos = offsetof(struct conf_role, number_pos), .example = "200",
		.help = "Fixed number of the identity, from 128 to 255 or from 256 to 16777215; "
			"without it one is allocated."},
	{"route", CONF_TEXT, AT(conf_role, route), RANGE(1, 128), .reloadable = true,
		.example = "be_admin",
		.help = "HAProxy backend for these callers; without it the asked one stands."},
	{"require_binding", CONF_BOOL, AT(conf_role, require_binding), RANGE(0, 1),
		.fallback = "false", .reloadable = true,
		.help = "Whether the verdict is an error when the kernel does not know the "
			"connection."},
	{"kill_on_expiry", CONF_BOOL, AT(conf_role, kill_on_expiry), RANGE(0, 1),
		.fallback = "false", .reloadable = true,
		.help = "Whether the whole connection ends when the token expires."},
};

static const struct conf_key ROOT[] = {
	{"version", CONF_INT, AT(conf, version), RANGE(1, 1), .required = true, .reloadable = true,
		.example = "1", .help = "Version of this file's format."},
	{"listen", CONF_SECTIONS, AT(conf, listen), RANGE(1, 16), .required = true,
		.section = SECTIONS_OF(LISTEN, conf_listen),
		.second = offsetof(struct conf, n_listen), .example = "[{tcp: 127.0.0.1:9909}]",
		.help = "Where HAProxy is awaited."},
	{"spop", CONF_SECTION, .section = SECTION_OF(SPOP), .help = "The talk with HAProxy."},
	{"workers", CONF_INT, AT(conf, workers), RANGE(1, 64), .fallback = "1",
		.help = "Threads that answer HAProxy; a connection stays on its own."},
	{"admin", CONF_SECTION, .section = SECTION_OF(ADMIN), .help = "The admin socket."},
	{"public", CONF_SECTION, .section = SECTION_OF(PUBLIC),
		.help = "What strangers may ask: no administrative route is here."},
	{"store", CONF_SECTION, .section = SECTION_OF(STORE), .help = "What outlives the process."},
	{"bpf", CONF_SECTION, .section = SECTION_OF(BPF), .help = "What the kernel enforces."},
	{"log", CONF_SECTION, .section = SECTION_OF(LOG), .help = "JSON lines on standard error."},
	{"audit", CONF_SECTION, .section = SECTION_OF(AUDIT),
		.help = "One line of JSON for each decision."},
	{"identity", CONF_SECTION, .section = SECTION_OF(IDENTITY),
		.help = "What every identity has in common."},
	{"challenge", CONF_SECTION, .section = SECTION_OF(CHALLENGE),
		.help = "What a refused caller is told."},
	{"exports", CONF_TEXTS, AT(conf, exports), RANGE(0, 32), .fallback = "[]",
		.reloadable = true,
		.help = "Claims that HAProxy gets as variables claim_NAME; letters, digits, '_' "
			"and '.' only."},
	{"providers", CONF_SECTIONS, AT(conf, providers), RANGE(1, 64), .required = true,
		.reloadable = true, .section = SECTIONS_OF(PROVIDER, conf_provider),
		.second = offsetof(struct conf, n_providers), .example = "[{name: corp, ...}]",
		.help = "Whose tokens are accepted."},
	{"policy", CONF_SECTION, .section = &conf_table_policy,
		.help = "Which identity may reach which service (CiliumNetworkPolicy)."},
	{"services", CONF_SECTIONS, AT(conf, services), RANGE(0, 1024), .reloadable = true,
		.section = &conf_table_service, .second = offsetof(struct conf, n_services),
		.example = "[{name: be_app, ...}]",
		.help = "What the backends of HAProxy front, as policies see it."},
	{"routes", CONF_SECTIONS, AT(conf, routes), RANGE(0, 256), .reloadable = true,
		.section = &conf_table_route, .second = offsetof(struct conf, n_routes),
		.example = "[{labels: [role=admin], route: be_admin}]",
		.help = "Backends by labels, for callers whose role has no route: the first that "
			"fits."},
	{"roles", CONF_SECTIONS, AT(conf, roles), RANGE(1, 1024), .required = true,
		.reloadable = true, .section = SECTIONS_OF(ROLE, conf_role),
		.second = offsetof(struct conf, n_roles), .example = "[{name: admin, ...}]",
		.help = "Who a caller is: the first role whose conditions all hold."},
};

const struct conf_section conf_keys = {ROOT, ARRAY_SIZE(ROOT), sizeof(struct conf)};
