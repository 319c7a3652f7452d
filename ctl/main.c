#include "base/mem.h"
#include "ctl/args.h"
#include "ctl/commands.h"
#include "ctl/table.h"

#include <stdio.h>
#include <string.h>

static const char *full_name(const struct ctl_command *c, char buf[64])
{
	snprintf(buf, 64, "identityctl %s%s%s", c->words[0], c->words[1] ? " " : "",
		c->words[1] ? c->words[1] : "");
	return buf;
}

static void help(FILE *to)
{
	char name[64];

	fputs("usage:\n", to);
	for (size_t i = 0; i < ctl_table_n; i++)
		fprintf(to, "  %s %s\n      %s\n", full_name(&ctl_table[i], name),
			ctl_table[i].arguments, ctl_table[i].help);
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

static enum ctl_exit explain(const struct ctl_command *c, const char *name)
{
	printf("usage: %s %s\n      %s\n", name, c->arguments, c->help);
	return CTL_OK;
}

/* The command, and in *ret_words how many words of argv name it; NULL for none. */
static const struct ctl_command *find(int argc, char **argv, int *ret_words)
{
	for (size_t i = 0; i < ctl_table_n; i++) {
		const struct ctl_command *c = &ctl_table[i];
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
	const struct ctl_command *c = find(argc, argv, &n_words);

	if (argc < 2)
		return ctl_args_usage("identityctl", "a command is needed");
	if (!c)
		return ctl_args_usage(
			"identityctl", "'%s' is not a command, or half of one", argv[1]);
	full_name(c, name);
	for (int i = n_words + 1; i < argc; i++)
		if (!strcmp(argv[i], "--help"))
			return explain(c, name);
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
