#include "ctl/table.h"

#include "base/mem.h"

const struct ctl_command ctl_table[] = {
	{{"status"}, ctl_status, "[--socket PATH] [-o text|json]",
		"what the daemon does, and loudly what is wrong"},
	{{"metrics"}, ctl_metrics, "[--socket PATH]",
		"the daemon's metrics (Prometheus text format)"},
	{{"top"}, ctl_top, "[--interval SECONDS] [--count N] [--socket PATH] [-o text|json]",
		"live: requests a second, latency, reasons, connections, cache; Ctrl-C ends it"},
	{{"tail"}, ctl_tail,
		"[--identity N] [--label LABEL] [--verdict allow|deny|error|audit] [--lines N]\n"
		"            [--no-follow] [--socket PATH] [-o text|json]",
		"decisions as they happen; as JSON, lines in the form of Hubble's flows"},
	{{"trace"}, ctl_trace,
		"REQID [--haproxy-log FILE] [--audit FILE] [--hubble FILE]... [-o text|json]",
		"the story of one request out of HAProxy's log, the audit log and Hubble's flows"},
	{{"identity", "list"}, ctl_identity_list, "[--socket PATH] [-o text|json]",
		"the identities, with number, provenance, role and labels"},
	{{"identity", "show"}, ctl_identity_show, "NUMBER [--socket PATH] [-o text|json]",
		"one identity, and the connections that have it now"},
	{{"flow", "list"}, ctl_flow_list,
		"[--identity N] [--limit N] [--socket PATH] [-o text|json]",
		"client connections that the kernel knows, and whose they are"},
	{{"provider", "list"}, ctl_provider_list, "[--socket PATH] [-o text|json]",
		"the providers, and the state of their keys"},
	{{"reload"}, ctl_reload, "[--socket PATH]",
		"read the configuration again, all or nothing; exit code 1 with the mistake"},
	{{"drain"}, ctl_drain, "[--socket PATH]", "let every request in flight end, then stop"},
	{{"log-level"}, ctl_log_level, "error|warning|info|debug [--socket PATH]",
		"until the next reload"},
	{{"observe"}, ctl_observe, "--for TIME --why TEXT [--socket PATH]",
		"for so long every request is allowed and the kernel only audits; 0 ends it"},
	{{"completion"}, ctl_completion, "bash|zsh", "the completion for that shell"},
	{{"policy", "check"}, ctl_policy_check, "FILE...",
		"are these policy files and folders right? Mistakes as FILE:LINE:COLUMN"},
	{{"policy", "explain"}, ctl_policy_explain,
		"{--policy FILE... | --config FILE} {--labels LABELS | --src-cidr ADDRESS}\n"
		"            {--service NAME | --dst-labels LABELS} [--port N] [--proto TCP]\n"
		"            [--method M] [--path P] [--host H] [--header 'N: V']... [-o "
		"text|json]\n"
		"  identityctl policy explain --batch FILE",
		"may this caller? Which rule decides, and what every other one lacks; --batch\n"
		"      answers one JSON object a line (docs/POLICY.md)"},
	{{"policy", "test"}, ctl_policy_test,
		"{--role NAME | --identity N} --service NAME [--method M] [--path P] [--query Q] "
		"[--host H]\n"
		"            [--socket PATH] [-o text|json]",
		"what the policies that are in force in the daemon say about such a request;\n"
		"      exit code 1 when they refuse it"},
	{{"policy", "diff"}, ctl_policy_diff, "--config FILE [-o text|json] OLD NEW",
		"which role of the configuration gains or loses what, under other policies"},
	{{"policy", "simulate"}, ctl_policy_simulate,
		"--config FILE --audit-log FILE [-o text|json] NEW...",
		"which decisions of an audit log other policies would have made otherwise"},
	{{"role", "test"}, ctl_role_test,
		"[--token TEXT|@FILE | --provider NAME --claims JSON|@FILE] [--cert FILE]\n"
		"            [--source ADDRESS [--proxied]] [--workload LABELS]\n"
		"            [--socket PATH] [-o text|json]",
		"which role such a caller gets from the running daemon, and why not the others;\n"
		"      exit code 1 when it would be refused"},
	{{"assertion", "jwks"}, ctl_assertion_jwks, "[--socket PATH]",
		"the public keys with which backends check our assertions"},
	{{"revoke", "add"}, ctl_revoke_add,
		"[--iss ISS] [--sub SUB] [--sid SID] [--jti JTI] [--client ID]\n"
		"            [--issued-before now|SECONDS] [--ttl DURATION] [--socket PATH]",
		"refuse the tokens that say all of this, from the next request on; on disk\n"
		"      when the command ends. Without --ttl until no such token can be valid"},
	{{"revoke", "list"}, ctl_revoke_list, "[--socket PATH] [-o text|json]",
		"the revocations in force"},
	{{"revoke", "remove"}, ctl_revoke_remove, "ID [--socket PATH]",
		"end a revocation; its tokens are good again"},
	{{"kernel", "kill"}, ctl_kernel_kill,
		"{--identity N | --client ADDRESS:PORT} [--socket PATH]",
		"ends open connections now: all of an identity, or one"},
	{{"kernel", "break-glass"}, ctl_kernel_break_glass, "--for TIME --why TEXT [--socket PATH]",
		"the kernel only audits for so long and then enforces again; 0 ends it"},
	{{"map", "list"}, ctl_map_list, "[--path DIR]",
		"the pinned maps: room, entries, kernel memory (group of bpf.group)"},
	{{"map", "get"}, ctl_map_get, "ADDRESS:PORT [--path DIR]",
		"what the kernel holds for a client's connection"},
	{{"map", "export"}, ctl_map_export, "[MAP] [--path DIR]",
		"everything in flows, stats, endpoints, policy, control and settings, as JSON\n"
		"      lines"},
	{{"map", "plan"}, ctl_map_plan,
		"--connections N --identities M [--endpoints N] [--policy N]",
		"the kernel memory that maps of that size take"},
	{{"token", "mint"}, ctl_token_mint,
		"--alg ALG --key FILE [--kid KID] [--claims JSON|@FILE] [--ttl 300s]\n"
		"            [--iss ISS] [--sub SUB] [--aud AUD]...",
		"a signed token; iat and exp come from the clock and the ttl (negative:\n"
		"      expired) unless the claims have them"},
	{{"token", "decode"}, ctl_token_decode, "TOKEN|@FILE [-o text|json]",
		"what a token says, WITHOUT checking its signature"},
	{{"token", "jwk"}, ctl_token_jwk, "{--key FILE [--kid KID] [--alg ALG]}... [--set]",
		"the public JWK of a PEM key, by default for RS256, ES256/384/512 or EdDSA as\n"
		"      the key is; several keys, or --set, make a JWK set"},
};
const size_t ctl_table_n = ARRAY_SIZE(ctl_table);
