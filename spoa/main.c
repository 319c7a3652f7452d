/* identityd: command line. */

#include "conf/keys.h"
#include "conf/spoe.h"
#include "spoa/daemon.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>

#define DEFAULT_CONFIG SYSCONFDIR "/identityd/identityd.yaml"

static const char USAGE[] =
	"usage: identityd [--config FILE] [--user USER[:GROUP[,GROUP...]]]\n"
	"       identityd --check [FILE] [--spoe FILE]\n"
	"       identityd --keys | --version | --help\n"
	"\n"
	"HAProxy's identity agent: validates the caller's token, resolves the caller to a\n"
	"security identity, binds it to the connection in the kernel, answers over SPOP.\n"
	"Runs in the foreground and logs JSON lines to standard error.\n"
	"\n"
	"  -c, --config FILE  the configuration (default " DEFAULT_CONFIG ")\n"
	"  -u, --user USER    become this user, and these groups, once the sockets are open;\n"
	"                     identityd refuses to go on as root\n"
	"      --check [FILE] read the configuration, print every mistake as\n"
	"                     FILE:LINE:COLUMN: text, and end with 0 or 1\n"
	"      --spoe FILE    with --check: HAProxy's SPOE file too, where it must fit the\n"
	"                     configuration: timeout, retries, names\n"
	"      --keys         print every configuration key: type, range, default, meaning\n"
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
	OPT_KEYS,
	OPT_VERSION,
};

static const struct option OPTIONS[] = {
	{"config", required_argument, NULL, 'c'},
	{"user", required_argument, NULL, 'u'},
	{"check", no_argument, NULL, OPT_CHECK},
	{"spoe", required_argument, NULL, OPT_SPOE},
	{"keys", no_argument, NULL, OPT_KEYS},
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

static int check_file(const char *path, const char *spoe)
{
	cleanup(spoa_config) struct spoa_config *config = NULL;
	cleanup(spoa_policies) struct spoa_policies *policies = NULL;
	struct conf *conf = NULL;
	struct base_diag diag;
	int rc = 0;

	base_diag_init(&diag, path);
	if (conf_load(path, &conf, &diag) == 0 &&
		spoa_config_new(conf, NULL, &diag, &config) == 0 &&
		spoa_policies_new(config, &diag, &policies) == 0)
		printf("%s: good: %zu provider(s), %zu role(s)\n", path, config->conf->n_providers,
			config->conf->n_roles);
	else
		base_diag_print(&diag, stderr);
	base_diag_done(&diag);
	if (policies && spoe)
		rc = check_spoe(spoe, config->conf);
	return policies ? rc : 1;
}

int main(int argc, char **argv)
{
	struct spoa_daemon_options options = {.config_path = DEFAULT_CONFIG};
	char why[SPOA_PRIVILEGE_WHY] = "";
	struct spoa_user user;
	const char *spoe = NULL;
	bool check = false;
	int c;

	while ((c = getopt_long(argc, argv, "c:u:h", OPTIONS, NULL)) != -1) {
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
		case OPT_CHECK:
			check = true;
			break;
		case OPT_SPOE:
			spoe = optarg;
			break;
		case OPT_KEYS:
			conf_print_keys(stdout);
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
	if (optind != argc || (spoe && !check)) {
		fputs(USAGE, stderr);
		return 2;
	}
	if (check)
		return check_file(options.config_path, spoe);
	signal(SIGPIPE, SIG_IGN);
	return spoa_daemon_run(&options);
}
