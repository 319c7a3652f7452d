#include "base/mem.h"
#include "ctl/args.h"
#include "ctl/commands.h"

#include <stdio.h>
#include <string.h>

static const struct command {
	const char *words[2]; /* the second may be NULL */
	enum ctl_exit (*run)(int argc, char **argv);
	const char *arguments;
	const char *help;
} COMMANDS[] = {
	{{"status"}, ctl_status, "[--socket PATH] [-o text|json]",
		"what the daemon does, and loudly what is wrong"},
	{{"metrics"}, ctl_metrics, "[--socket PATH]",
		"the daemon's metrics (Prometheus text format)"},
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
	{{"policy", "diff"}, ctl_policy_diff, "--config FILE [-o text|json] OLD NEW",
		"which role of the configuration gains or loses what, under other policies"},
	{{"policy", "simulate"}, ctl_policy_simulate,
		"--config FILE --audit-log FILE [-o text|json] NEW...",
		"which decisions of an audit log other policies would have made otherwise"},
	{{"role", "test"}, ctl_role_test,
		"{--token TEXT|@FILE | --provider NAME --claims JSON|@FILE} [--cert FILE]\n"
		"            [--source ADDRESS [--proxied]] [--socket PATH] [-o text|json]",
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
	{{"token", "jwk"}, ctl_token_jwk, "{--key FILE [--kid KID] [--alg ALG]}... [--set]",
		"the public JWK of a PEM key, by default for RS256, ES256/384/512 or EdDSA as\n"
		"      the key is; several keys, or --set, make a JWK set"},
};

static const char *full_name(const struct command *c, char buf[64])
{
	snprintf(buf, 64, "identityctl %s%s%s", c->words[0], c->words[1] ? " " : "",
		c->words[1] ? c->words[1] : "");
	return buf;
}

static void help(FILE *to)
{
	char name[64];

	fputs("usage:\n", to);
	for (size_t i = 0; i < ARRAY_SIZE(COMMANDS); i++)
		fprintf(to, "  %s %s\n      %s\n", full_name(&COMMANDS[i], name),
			COMMANDS[i].arguments, COMMANDS[i].help);
	fputs("  identityctl help | --help | --version\n"
	      "\n"
	      "PATH is the daemon's admin socket, by default " CTL_DEFAULT_SOCKET ".\n"
	      "\n"
	      "exit codes:\n"
	      "  0  all is well\n"
	      "  1  it did not work, or the status has a line that begins with !!\n"
	      "  2  the command line is wrong\n"
	      "  3  no daemon answers on the socket\n",
		to);
}

/* The command, and in *ret_words how many words of argv name it; NULL for none. */
static const struct command *find(int argc, char **argv, int *ret_words)
{
	for (size_t i = 0; i < ARRAY_SIZE(COMMANDS); i++) {
		const struct command *c = &COMMANDS[i];
		int n = c->words[1] ? 2 : 1;

		if (argc <= n || strcmp(argv[1], c->words[0]))
			continue;
		if (n == 2 && strcmp(argv[2], c->words[1]))
			continue;
		*ret_words = n;
		return c;
	}
	return NULL;
}

static enum ctl_exit run(int argc, char **argv)
{
	char name[64];
	int n_words;
	const struct command *c = find(argc, argv, &n_words);

	if (argc < 2)
		return ctl_args_usage("identityctl", "a command is needed");
	if (!c)
		return ctl_args_usage(
			"identityctl", "'%s' is not a command, or half of one", argv[1]);
	full_name(c, name);
	argv[n_words] = name; /* getopt complains in the command's own name */
	return c->run(argc - n_words, argv + n_words);
}

int main(int argc, char **argv)
{
	enum ctl_exit rc = CTL_OK;

	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help")))
		help(stdout);
	else if (argc == 2 && !strcmp(argv[1], "--version"))
		puts("identityctl " IDENTITYD_VERSION);
	else
		rc = run(argc, argv);
	if (fflush(stdout) || ferror(stdout)) {
		perror("identityctl: stdout");
		return rc ? rc : CTL_FAILED;
	}
	return rc;
}
