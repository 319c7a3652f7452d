/* Completion for shells, out of the table of commands. */
#include "base/mem.h"
#include "ctl/args.h"
#include "ctl/commands.h"
#include "ctl/options.h"
#include "ctl/table.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define SEPARATORS " \n[]{}"

/* Calls visit for each option in a text of arguments, with the word that follows it, or "". */
static void each_option(const char *arguments, const char *more,
	void (*visit)(const char *option, const char *value, const char *more), bool values_only)
{
	char *text = strdup(arguments), *rest = NULL, *option = NULL;

	for (char *word = text ? strtok_r(text, SEPARATORS, &rest) : NULL; word;
		word = strtok_r(NULL, SEPARATORS, &rest)) {
		word[strcspn(word, ".'\"")] = '\0'; /* "..." says that it may come again */
		if (option && *word != '-' && *word != '|')
			visit(option, word, more);
		else if (option && !values_only)
			visit(option, "", more);
		option = *word == '-' ? word : NULL;
	}
	if (option && !values_only)
		visit(option, "", more);
	free(text);
}

static void put_name(const char *option, const char *value, const char *more)
{
	(void)value;
	(void)more;
	printf(" %s", option);
}

static bool is_file(const char *value)
{
	static const char *const FILES[] = {"FILE", "PATH", "DIR", "@FILE"};

	for (size_t i = 0; i < ARRAY_SIZE(FILES); i++)
		if (strstr(value, FILES[i]))
			return true;
	return false;
}

/* The words of a|b|c; those in capitals stand for something else. */
static void put_words(const char *value)
{
	for (const char *p = value; *p; p++) {
		bool begins = p == value || p[-1] == '|';

		if (begins && isupper((unsigned char)*p))
			p += strcspn(p, "|") - 1;
		else
			putchar(*p == '|' ? ' ' : *p);
		if (!p[1])
			break;
	}
}

/* One arm of the case over "COMMAND OPTION". */
static void put_value(const char *option, const char *value, const char *more)
{
	printf("\t\"%s %s\") ", more, option);
	if (is_file(value)) {
		fputs("files=1", stdout);
	} else if (strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ:_|") == strlen(value)) {
		fputs("any=1", stdout); /* nothing to choose from */
	} else {
		fputs("choice=\"", stdout);
		put_words(value);
		putchar('"');
	}
	fputs(" ;;\n", stdout);
}

static void full_name(const struct ctl_command *c, char buf[64])
{
	snprintf(buf, 64, "%s%s%s", c->words[0], c->words[1] ? " " : "",
		c->words[1] ? c->words[1] : "");
}

/* Is no row before it of the same group? */
static bool is_first(size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (!strcmp(ctl_table[i].words[0], ctl_table[k].words[0]))
			return false;
	return true;
}

static void put_commands(void)
{
	for (size_t i = 0; i < ctl_table_n; i++)
		if (is_first(i))
			printf(" %s", ctl_table[i].words[0]);
	fputs(" help\"\n", stdout);
}

static void put_seconds(void)
{
	fputs("\tcase $first in\n", stdout);
	for (size_t i = 0; i < ctl_table_n; i++) {
		if (!ctl_table[i].words[1] || !is_first(i))
			continue;
		printf("\t%s) seconds=\"", ctl_table[i].words[0]);
		for (size_t k = i; k < ctl_table_n; k++)
			if (!strcmp(ctl_table[i].words[0], ctl_table[k].words[0]))
				printf(" %s", ctl_table[k].words[1]);
		fputs("\" ;;\n", stdout);
	}
	fputs("\tesac\n", stdout);
}

/* What stands alone at the front of the arguments: words to choose from, or a file. */
static void put_arguments(const struct ctl_command *c, const char *name)
{
	size_t n = strcspn(c->arguments, SEPARATORS);
	char word[128];

	snprintf(word, sizeof(word), "%.*s", (int)n, c->arguments);
	word[strcspn(word, ".")] = '\0';
	if (!*word || *word == '-')
		return;
	if (is_file(word) || islower((unsigned char)*word))
		put_value("", word, name);
}

static void put_tables(void)
{
	char name[64];

	fputs("\tcommands=\"", stdout);
	put_commands();
	put_seconds();
	fputs("\tcase $command in\n", stdout);
	for (size_t i = 0; i < ctl_table_n; i++) {
		full_name(&ctl_table[i], name);
		printf("\t\"%s\") options=\"", name);
		each_option(ctl_table[i].arguments, name, put_name, false);
		fputs(" --help\" ;;\n", stdout);
	}
	fputs("\tesac\n\tcase \"$command $previous\" in\n", stdout);
	for (size_t i = 0; i < ctl_table_n; i++) {
		full_name(&ctl_table[i], name);
		each_option(ctl_table[i].arguments, name, put_value, true);
	}
	fputs("\tesac\n\t[ -n \"$choice$files$any\" ] || case \"$command \" in\n", stdout);
	for (size_t i = 0; i < ctl_table_n; i++) {
		full_name(&ctl_table[i], name);
		put_arguments(&ctl_table[i], name);
	}
	fputs("\tesac\n", stdout);
}

/*
 * Both shells share the tables: the words before the cursor come in $first,
 * $second and $previous, what may follow goes out in $choice and $files.
 */
static void put_common(void)
{
	fputs("\tlocal commands seconds options choice files any command\n"
	      "\tcommand=$first\n",
		stdout);
	fputs("\tcase $first in\n", stdout);
	for (size_t i = 0; i < ctl_table_n; i++)
		if (ctl_table[i].words[1] && is_first(i))
			printf("\t%s) command=\"$first $second\" ;;\n", ctl_table[i].words[0]);
	fputs("\tesac\n", stdout);
}

static void put_bash(void)
{
	fputs("# bash completion of identityctl; made by: identityctl completion bash\n"
	      "_identityctl() {\n"
	      "\tlocal first=${COMP_WORDS[1]} second=${COMP_WORDS[2]}\n"
	      "\tlocal current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
	      "\tlocal at=$COMP_CWORD\n",
		stdout);
	put_common();
	put_tables();
	fputs("\tif [ \"$at\" = 1 ]; then choice=$commands files=\n"
	      "\telif [ \"$at\" = 2 ] && [ -n \"$seconds\" ]; then choice=$seconds files=\n"
	      "\telif [[ $current == -* ]]; then choice=$options files=\n"
	      "\telif [ -z \"$choice$files$any\" ]; then choice=$options\n"
	      "\tfi\n"
	      "\tCOMPREPLY=($(compgen -W \"$choice\" -- \"$current\"))\n"
	      "\t[ -z \"$files\" ] || COMPREPLY+=($(compgen -f -- \"$current\"))\n"
	      "}\n"
	      "complete -o filenames -F _identityctl identityctl\n",
		stdout);
}

static void put_zsh(void)
{
	fputs("#compdef identityctl\n"
	      "# zsh completion of identityctl; made by: identityctl completion zsh\n"
	      "_identityctl() {\n"
	      "\tlocal first=${words[2]} second=${words[3]}\n"
	      "\tlocal current=${words[CURRENT]} previous=${words[CURRENT-1]}\n"
	      "\tlocal at=$((CURRENT - 1))\n",
		stdout);
	put_common();
	put_tables();
	fputs("\tif [ \"$at\" = 1 ]; then choice=$commands files=\n"
	      "\telif [ \"$at\" = 2 ] && [ -n \"$seconds\" ]; then choice=$seconds files=\n"
	      "\telif [[ $current == -* ]]; then choice=$options files=\n"
	      "\telif [ -z \"$choice$files$any\" ]; then choice=$options\n"
	      "\tfi\n"
	      "\tcompadd -- ${=choice}\n"
	      "\t[ -z \"$files\" ] || _files\n"
	      "}\n"
	      "if [ \"$funcstack[1]\" = _identityctl ]; then\n"
	      "\t_identityctl \"$@\"\n"
	      "else\n"
	      "\tcompdef _identityctl identityctl\n"
	      "fi\n",
		stdout);
}

enum ctl_exit ctl_completion(int argc, char **argv)
{
	static const char WANTED[] = "one shell is needed: bash or zsh";
	struct ctl_options o;
	enum ctl_exit rc = ctl_options_read(argc, argv, NULL, 0, 0, 1, 1, WANTED, &o);

	if (rc)
		return rc;
	if (!strcmp(o.rest[0], "bash"))
		put_bash();
	else if (!strcmp(o.rest[0], "zsh"))
		put_zsh();
	else
		return ctl_args_usage(argv[0], "%s", WANTED);
	return CTL_OK;
}
