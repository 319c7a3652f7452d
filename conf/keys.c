#include "conf/keys.h"

#include "conf/keys_table.h"

static_assert(offsetof(struct conf_listen, pos) == 0, "bind writes the position there");

static const struct conf_key TLS[] = {
	{"cert", CONF_PATH, AT(conf_listen, tls.cert), RANGE(2, 1024), .reloadable = true,
		.example = "/etc/identityd/spop.pem",
		.help = "The agent's certificate and what leads from it to a CA that HAProxy "
			"trusts, in PEM."},
	{"key", CONF_PATH, AT(conf_listen, tls.key), RANGE(2, 1024), .reloadable = true,
		.example = "/etc/identityd/spop.key",
		.help = "The certificate's key in PEM, readable for the agent's user only."},
	{"client_ca", CONF_PATH, AT(conf_listen, tls.client_ca), RANGE(2, 1024), .reloadable = true,
		.example = "/etc/identityd/haproxy-ca.pem",
		.help = "Certificates of the CA that signs HAProxy's own; a peer that shows one of "
			"those may write maps."},
	{"client", CONF_ENUM, AT(conf_listen, tls.client),
		RANGE(CONF_CLIENT_REQUIRED, CONF_CLIENT_OPTIONAL), .words = "required optional",
		.fallback = "required", .reloadable = true,
		.help = "Whether a peer without a certificate is turned away or only kept from the "
			"maps, once client_ca is there."},
	{"client_names", CONF_TEXTS, AT(conf_listen, tls.client_names), RANGE(0, 32),
		.fallback = "[]", .reloadable = true,
		.help = "DNS names of which a peer's certificate must carry one; an empty list "
			"takes whatever client_ca signed."},
};

static const struct conf_key LISTEN[] = {
	{"unix", CONF_PATH, AT(conf_listen, unix_path), RANGE(2, SOCKET_PATH_MAX),
		.example = "/run/identityd/spop.sock",
		.help = "Unix socket on which HAProxy is awaited; each entry has either this or "
			"tcp."},
	{"mode", CONF_MODE, AT(conf_listen, mode), RANGE(0, 0777), .needs = "unix",
		.fallback = "0660", .help = "Permission bits of the unix socket."},
	{"group", CONF_TEXT, AT(conf_listen, group), RANGE(1, GROUP_MAX), .example = "haproxy",
		.help = "Group of the unix socket, by name or number; without it the daemon's "
			"own."},
	{"users", CONF_TEXTS, AT(conf_listen, users), RANGE(0, 32), .fallback = "[]",
		.reloadable = true,
		.help = "Users, by name or number, whose processes may connect to the unix socket; "
			"with both lists empty, whoever mode and group let in."},
	{"groups", CONF_TEXTS, AT(conf_listen, groups), RANGE(0, 32), .fallback = "[]",
		.reloadable = true,
		.help = "Groups, by name or number, whose members' processes may connect to it as "
			"well."},
	{"tcp", CONF_ADDRESS, AT(conf_listen, tcp_host), RANGE(1, 65535),
		.second = offsetof(struct conf_listen, tcp_port), .example = "127.0.0.1:9909",
		.help = "Literal address and port on which HAProxy is awaited; without a client "
			"certificate nobody proves who they are there, so no map is written for "
			"such a peer."},
	{"allow", CONF_TEXTS, AT(conf_listen, allow), RANGE(0, 64), .fallback = "[]",
		.reloadable = true,
		.help = "Addresses and ranges that may connect to tcp; only on a loopback address "
			"may the list be left empty."},
	{"tls", CONF_SECTION, .section = SECTION_OF(TLS),
		.help = "TLS on tcp; without it everything goes in the clear."},
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
	{"max_stall", CONF_DURATION, AT(conf, spop.max_stall), RANGE(0, 1 * M), .fallback = "300ms",
		.reloadable = true,
		.help = "How long a worker may stand still (stopped, frozen, no processor) before "
			"what waited meanwhile is hung up on rather than answered late; keep it "
			"above HAProxy's timeout processing; 0 turns this off."},
	{"idle_timeout", CONF_DURATION, AT(conf, spop.idle_timeout), RANGE(0, 1 * D),
		.fallback = "0",
		.help = "How long a connection may be silent before it is let go; 0, or more than "
			"60s, since HAProxy must be the first to let idle connections go."},
	{"max_in_flight", CONF_INT, AT(conf, spop.max_in_flight), RANGE(1, 65536), .fallback = "64",
		.reloadable = true,
		.help = "Requests of one connection that may wait for keys at once; HAProxy sends "
			"at most 20 before an answer, unless max-waiting-frames says otherwise."},
	{"max_buffered", CONF_SIZE, AT(conf, spop.max_buffered),
		RANGE(1024 * KIB, 4 * 1024 * 1024 * KIB), .fallback = "32MiB", .reloadable = true,
		.help = "Bytes that all connections together may hold back besides the start of "
			"one frame each: answers that nobody reads, requests behind them, "
			"fragments; each worker has its share."},
	{"max_buffered_per_connection", CONF_SIZE, AT(conf, spop.max_buffered_per_connection),
		RANGE(512 * KIB, 64 * 1024 * KIB), .fallback = "1MiB", .reloadable = true,
		.help = "The same for one connection, which is closed when it would need more."},
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
	{"handover", CONF_PATH, AT(conf, admin.handover), RANGE(2, SOCKET_PATH_MAX),
		.example = "/run/identityd/handover.sock",
		.help = "Unix socket over which an agent started with --replace takes over the "
			"listening sockets; for the agent's user and root only."},
	{"tcp", CONF_ADDRESS, AT(conf, admin.remote.tcp_host), RANGE(1, 65535),
		.second = offsetof(struct conf, admin.remote.tcp_port), .example = "127.0.0.1:9909",
		.help = "Literal address and port for the same besides the socket; needs "
			"client_ca, token_file or read_token_file."},
	{"tls_cert", CONF_PATH, AT(conf, admin.tls_cert), RANGE(2, 1024), .needs = "tcp",
		.example = "/etc/identityd/admin.pem",
		.help = "Certificate chain of the TCP address; only a loopback address can do "
			"without."},
	{"tls_key", CONF_PATH, AT(conf, admin.tls_key), RANGE(2, 1024), .needs = "tls_cert",
		.example = "/etc/identityd/admin.key", .help = "Private key of that certificate."},
	{"client_ca", CONF_PATH, AT(conf, admin.client_ca), RANGE(2, 1024), .needs = "tls_cert",
		.example = "/etc/identityd/admin-clients.pem",
		.help = "Certificates that sign those of clients; whoever shows one may ask over "
			"TCP."},
	{"token_file", CONF_PATH, AT(conf, admin.token_file), RANGE(2, 1024), .needs = "tcp",
		.example = "/etc/identityd/admin.token",
		.help = "File with a word of at least 16 characters; whoever sends it as a bearer "
			"token may ask over TCP, and order everything."},
	{"read_token_file", CONF_PATH, AT(conf, admin.read_token_file), RANGE(2, 1024),
		.needs = "tcp", .example = "/etc/identityd/read.token",
		.help = "The same with another word, which is good for /metrics, /healthz and "
			"/readyz alone."},
	{"hosts", CONF_TEXTS, AT(conf, admin.hosts), RANGE(0, 16), .fallback = "[]",
		.help = "Names that the TCP address may be asked by in the header Host, besides "
			"the address itself (and localhost, where it is one)."},
};

static const struct conf_key PUBLIC[] = {
	{"unix", CONF_PATH, AT(conf, public.listen.unix_path), RANGE(2, SOCKET_PATH_MAX),
		.example = "/run/identityd/public.sock",
		.help = "Unix socket for what strangers may ask, behind HAProxy for example; "
			"without it and tcp there is no such listener."},
	{"mode", CONF_MODE, AT(conf, public.listen.mode), RANGE(0, 0777), .needs = "unix",
		.fallback = "0660", .help = "Permission bits of the public unix socket."},
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

static const struct conf_key CACHE[] = {
	{"tokens", CONF_SIZE, AT(conf, cache.tokens), RANGE(0, 64 * GIB), .fallback = "64MiB",
		.help = "Memory for tokens that were verified before, some 400 bytes each, shared "
			"out over the workers; 0 verifies every time."},
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
	{"max_identities", CONF_INT, AT(conf, bpf.max_identities), RANGE(1, 65536),
		.fallback = "1024",
		.help = "Identities whose packets and bytes are counted in the kernel."},
	{"max_endpoints", CONF_INT, AT(conf, bpf.max_endpoints), RANGE(16, COUNT),
		.fallback = "16384",
		.help = "Destinations that the endpoints map has room for: those in force and "
			"those of the next policy."},
	{"max_policy", CONF_INT, AT(conf, bpf.max_policy), RANGE(16, COUNT), .fallback = "65536",
		.help = "Entries that the policy map has room for: those in force and those of "
			"the next policy."},
	{"clusters", CONF_ENUM, AT(conf, bpf.clusters), RANGE(0, 1), .words = "255 511",
		.fallback = "255",
		.help = "Cilium's max-connected-clusters, which says how an identity stands in a "
			"packet mark."},
	{"connect", CONF_ENUM, AT(conf, bpf.modes[CONF_MODE_OF_CONNECT]), RANGE(0, 2),
		.words = "off audit enforce", .fallback = "enforce", .reloadable = true,
		.help = "What the kernel does where a marked socket connects or sends to what its "
			"identity may not reach: off, audit (reported only), or enforce."},
	{"packets", CONF_ENUM, AT(conf, bpf.modes[CONF_MODE_OF_PACKETS]), RANGE(0, 2),
		.words = "off audit enforce", .fallback = "enforce", .reloadable = true,
		.help = "The same for each packet of a marked socket, so that a new policy holds "
			"on open connections too."},
	{"revoked", CONF_ENUM, AT(conf, bpf.modes[CONF_MODE_OF_REVOKED]), RANGE(0, 2),
		.words = "off audit enforce", .fallback = "enforce", .reloadable = true,
		.help = "What the kernel does with packets of revoked and expired connections: "
			"enforce drops them."},
	{"kill", CONF_ENUM, AT(conf, bpf.modes[CONF_MODE_OF_KILL]), RANGE(0, 2),
		.words = "off audit enforce", .fallback = "enforce", .reloadable = true,
		.help = "What the kernel does with revoked and expired connections themselves: "
			"enforce ends them."},
	{"unmarked", CONF_ENUM, AT(conf, bpf.unmarked), RANGE(0, 1), .words = "allow deny",
		.fallback = "allow", .reloadable = true,
		.help = "Whether a socket without an identity may reach a destination that has a "
			"policy; deny holds for everything in the cgroup."},
	{"events_per_second", CONF_INT, AT(conf, bpf.events_per_second), RANGE(0, 100000),
		.fallback = "100", .reloadable = true,
		.help = "Refusals, drops and kills that the kernel reports each second; more are "
			"only counted."},
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
	{"headers", CONF_TEXTS, AT(conf, audit.headers), RANGE(0, 16), .fallback = "[]",
		.reloadable = true,
		.help = "Request headers that are written, where HAProxy sends them (the argument "
			"headers)."},
	{"redact", CONF_TEXTS, AT(conf, audit.redact), RANGE(0, 32), .reloadable = true,
		.fallback = "[authorization, proxy-authorization, cookie, x-api-key, x-auth-token, "
			    "dpop]",
		.help = "Of those, the ones whose value is written as HUBBLE_REDACTED."},
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
	{"max", CONF_INT, AT(conf, identity.max), RANGE(1, 60000), .fallback = "1024",
		.reloadable = true,
		.help = "How many identities may exist at a time whose labels depend on the "
			"caller; another one is answered 503 (identity_limit)."},
	{"unused", CONF_DURATION, AT(conf, identity.unused), RANGE(0, 3660 * D), .fallback = "7d",
		.reloadable = true,
		.help = "How long such an identity stays when nobody uses it and no open "
			"connection carries it; then its number is released. 0 means for ever."},
	{"quarantine", CONF_DURATION, AT(conf, identity.quarantine), RANGE(1 * S, 3660 * D),
		.fallback = "24h", .reloadable = true,
		.help = "How long a released number is kept from other labels; the same labels "
			"get it back at once."},
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
	{"observe", CONF_BOOL, AT(conf, observe), RANGE(0, 1), .fallback = "false",
		.reloadable = true,
		.help = "Whether every answer is allow, with the true outcome in reason, log and "
			"metrics only, and the kernel audits what it would enforce: to try a "
			"configuration on live traffic."},
	{"seccomp", CONF_ENUM, AT(conf, seccomp), RANGE(0, 2), .words = "enforce log off",
		.fallback = "enforce",
		.help = "What becomes of system calls that the daemon has no use for: enforce "
			"refuses and logs them, log leaves them to the kernel's audit log."},
	{"admin", CONF_SECTION, .section = SECTION_OF(ADMIN), .help = "The admin socket."},
	{"public", CONF_SECTION, .section = SECTION_OF(PUBLIC),
		.help = "What strangers may ask: no administrative route is here."},
	{"cache", CONF_SECTION, .section = SECTION_OF(CACHE), .help = "What is remembered."},
	{"store", CONF_SECTION, .section = SECTION_OF(STORE), .help = "What outlives the process."},
	{"bpf", CONF_SECTION, .section = SECTION_OF(BPF), .help = "What the kernel enforces."},
	{"log", CONF_SECTION, .section = SECTION_OF(LOG), .help = "JSON lines on standard error."},
	{"audit", CONF_SECTION, .section = SECTION_OF(AUDIT),
		.help = "One line of JSON for each decision."},
	{"identity", CONF_SECTION, .section = SECTION_OF(IDENTITY),
		.help = "What every identity has in common."},
	{"challenge", CONF_SECTION, .section = &conf_keys_challenge,
		.help = "What a refused caller is told."},
	{"assertion", CONF_SECTION, .section = &conf_keys_assertion,
		.help = "What we sign about callers for backends."},
	{"assertions", CONF_SECTIONS, AT(conf, assertions), RANGE(0, 64), .reloadable = true,
		.section = &conf_keys_assertions, .second = offsetof(struct conf, n_assertions),
		.example = "[{name: api, ...}]",
		.help = "Short-lived tokens for backends, one for each audience."},
	{"dpop", CONF_SECTION, .section = &conf_keys_dpop, .help = "DPoP proofs."},
	{"revocation", CONF_SECTION, .section = &conf_keys_revocation,
		.help = "Tokens that end before they expire."},
	{"workloads", CONF_SECTION, .section = &conf_keys_workloads,
		.help = "Callers that are known by their addresses: pods, as Cilium knows them."},
	{"etcd", CONF_SECTION, .section = &conf_keys_etcd,
		.help = "Numbers and revocations that several agents share, and Cilium with them."},
	{"exports", CONF_TEXTS, AT(conf, exports), RANGE(0, 32), .fallback = "[]",
		.reloadable = true,
		.help = "Claims that HAProxy gets as variables claim_NAME; letters, digits, '_' "
			"and '.' only."},
	{"providers", CONF_SECTIONS, AT(conf, providers), RANGE(1, 64), .required = true,
		.reloadable = true, .section = &conf_table_provider,
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
	{"roles_match", CONF_ENUM, AT(conf, roles_match), RANGE(CONF_MATCH_FIRST, CONF_MATCH_ALL),
		.words = "first all", .fallback = "first", .reloadable = true,
		.help = "Whether a caller has the first role that fits, or all that fit, with the "
			"union of their labels; of two labels with one key the earlier role's "
			"stands."},
	{"roles", CONF_SECTIONS, AT(conf, roles), RANGE(1, 1024), .required = true,
		.reloadable = true, .section = &conf_table_role,
		.second = offsetof(struct conf, n_roles), .example = "[{name: admin, ...}]",
		.help = "Who a caller is: the first role whose conditions all hold."},
};

const struct conf_section conf_keys = {ROOT, ARRAY_SIZE(ROOT), sizeof(struct conf), NULL};
