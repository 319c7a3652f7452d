/* identityd: command line. */

#include "conf/keys.h"
#include "conf/print.h"
#include "conf/spoe.h"
#include "spoa/daemon.h"
#include "spoa/explain.h"
#include "token/json.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>

#define DEFAULT_CONFIG SYSCONFDIR "/identityd/identityd.yaml"

static const char USAGE[] =
	"usage: identityd [--config FILE] [--user USER[:GROUP[,GROUP...]]] [--replace]\n"
	"       identityd --check [--print | --ask QUESTION] [FILE] [--spoe FILE]\n"
	"       identityd --keys | --metrics | --version | --help\n"
	"\n"
	"HAProxy's identity agent: validates the caller's token, resolves the caller to a\n"
	"security identity, binds it to the connection in the kernel, answers over SPOP.\n"
	"Runs in the foreground and logs JSON lines to standard error.\n"
	"\n"
	"  -c, --config FILE  the configuration (default " DEFAULT_CONFIG ")\n"
	"  -u, --user USER    become this user, and these groups, once the sockets are open;\n"
	"                     identityd refuses to go on as root\n"
	"  -r, --replace      take the listening sockets over from the identityd that answers at\n"
	"                     admin.handover, and let it drain once this one serves\n"
	"      --check [FILE] read the configuration, print every mistake as\n"
	"                     FILE:LINE:COLUMN: text, and end with 0 or 1\n"
	"      --spoe FILE    with --check: HAProxy's SPOE file too, where it must fit the\n"
	"                     configuration: timeout, retries, names\n"
	"      --print        with --check: the configuration as it is in effect, with every\n"
	"                     default and whatever a provider's profile stands for\n"
	"      --ask QUESTION with --check: which role would that caller get, and why not the\n"
	"                     others? A file of JSON, as identityctl role test asks a running\n"
	"                     agent: {\"provider\": NAME, \"claims\": {...}} for example\n"
	"      --keys         print every configuration key: type, range, default, meaning\n"
	"      --metrics      print every metric: name, type, meaning, tabs between them\n"
	"      --version      print the version\n"
	"  -h, --help         print this\n"
	"\n"
	"Signals: SIGHUP reads the configuration again, all or nothing. SIGTERM lets every\n"
	"request in flight end, then stops; a second one stops at once.\n"
	"Exit status: 0 ended as asked, 1 could not start or the check failed, 2 usage.\n"
	"The kernel's maps are made by identityd-setup(8); ask a running agent with\n"
	"identityctl(1).\n";

enum {
	OPT_CHECK = 256,
	OPT_SPOE,
	OPT_PRINT,
	OPT_ASK,
	OPT_KEYS,
	OPT_METRICS,
	OPT_VERSION,
};

static const struct option OPTIONS[] = {
	{"config", required_argument, NULL, 'c'},
	{"user", required_argument, NULL, 'u'},
	{"replace", no_argument, NULL, 'r'},
	{"check", no_argument, NULL, OPT_CHECK},
	{"spoe", required_argument, NULL, OPT_SPOE},
	{"print", no_argument, NULL, OPT_PRINT},
	{"ask", required_argument, NULL, OPT_ASK},
	{"keys", no_argument, NULL, OPT_KEYS},
	{"metrics", no_argument, NULL, OPT_METRICS},
	{"version", no_argument, NULL, OPT_VERSION},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

/* HAProxy's side of the agreement. */
static int check_spoe(const char *path, const struct conf *conf)
{
	struct base_diag diag;
	int rc;

	base_diag_init(&diag, path);
	rc = conf_spoe_load(path, conf, &diag);
	if (rc)
		base_diag_print(&diag, stderr);
	else
		printf("%s: good\n", path);
	base_diag_done(&diag);
	return rc ? 1 : 0;
}

/* Answers a question in a file, without keys: those are a running agent's. */
static int answer(struct spoa_config *config, const char *path)
{
	cleanup(spoa_snapshot) struct spoa_snapshot *snapshot =
		spoa_snapshot_new(config, SPOA_ENFORCEMENT_OFF, NULL);
	cleanup(json) json_t *question = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	cleanup(json) json_t *found = NULL;
	struct base_now now;

	base_clock_now(&now);
	if (snapshot)
		found = spoa_explain(snapshot, question, &now);
	if (!found)
		return 1;
	json_dumpf(found, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	putchar('\n');
	return json_object_get(found, "role") ? 0 : 1;
}

/* What --check is to do besides. */
struct check {
	bool print;
	const char *question; /* --ask */
	const char *spoe;
};

static int check_file(const char *path, const struct check *what)
{
	cleanup(spoa_config) struct spoa_config *config = NULL;
	cleanup(spoa_policies) struct spoa_policies *policies = NULL;
	struct conf *conf = NULL;
	struct base_diag diag;
	int rc = 0;

	base_diag_init(&diag, path);
	if (conf_load(path, &conf, &diag) || spoa_config_new(conf, NULL, &diag, &config) ||
		spoa_policies_new(config, &diag, &policies))
		base_diag_print(&diag, stderr);
	else if (what->question)
		rc = answer(config, what->question);
	else if (what->print)
		conf_print(config->conf, stdout);
	else
		printf("%s: good: %zu provider(s), %zu role(s)\n", path, config->conf->n_providers,
			config->conf->n_roles);
	base_diag_done(&diag);
	if (policies && what->spoe)
		rc = check_spoe(what->spoe, config->conf);
	return policies ? rc : 1;
}

int main(int argc, char **argv)
{
	struct spoa_daemon_options options = {.config_path = DEFAULT_CONFIG};
	char why[SPOA_PRIVILEGE_WHY] = "";
	struct spoa_user user;
	struct check what = {0};
	bool check = false;
	int c;

	while ((c = getopt_long(argc, argv, "c:u:rh", OPTIONS, NULL)) != -1) {
		switch (c) {
		case 'c':
			options.config_path = optarg;
			break;
		case 'u':
			if (spoa_privilege_user(optarg, &user, why)) {
				fprintf(stderr, "identityd: %s\n", why);
				return 2;
			}
			options.user = &user;
			break;
		case 'r':
			options.replace = true;
			break;
		case OPT_CHECK:
			check = true;
			break;
		case OPT_SPOE:
			what.spoe = optarg;
			break;
		case OPT_PRINT:
			what.print = true;
			break;
		case OPT_ASK:
			what.question = optarg;
			break;
		case OPT_KEYS:
			conf_print_keys(stdout);
			return 0;
		case OPT_METRICS:
			spoa_metrics_table(stdout);
			return 0;
		case OPT_VERSION:
			puts("identityd " IDENTITYD_VERSION);
			return 0;
		case 'h':
			fputs(USAGE, stdout);
			return 0;
		default:
			fputs(USAGE, stderr);
			return 2;
		}
	}
	if (check && optind == argc - 1)
		options.config_path = argv[optind++];
	if (optind != argc || (!check && (what.print || what.question || what.spoe))) {
		fputs(USAGE, stderr);
		return 2;
	}
	if (check)
		return check_file(options.config_path, &what);
	signal(SIGPIPE, SIG_IGN);
	return spoa_daemon_run(&options);
}
