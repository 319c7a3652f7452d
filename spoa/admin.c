#include "spoa/admin.h"

#include "net/vet.h"
#include "spoa/file.h"
#include "spoa/http_guard.h"
#include "spoa/log.h"
#include "spoa/routes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS_MAX 32
#define IDLE_S          3
#define REMOTE_MAX      16
#define REMOTE_LIFE_S   30
#define PEM_MAX         (256 * 1024)
#define TOKEN_MIN       16
#define TOKEN_MAX       1024
#define HOSTS_MAX       18 /* admin.hosts, the address and localhost */

/* admin.token_file's, admin.read_token_file's */
enum { WHOLE, READING, TOKENS };

struct spoa_admin {
	struct spoa_http *local, *remote;
	char *cert, *key, *ca; /* PEM; NULL where not configured */
	char *tokens[TOKENS];
	char *names[HOSTS_MAX];
	struct spoa_http_guard guard;
};

static int refuse(int rc, char why[SPOA_ADMIN_WHY], const char *path, const char *what)
{
	snprintf(why, SPOA_ADMIN_WHY, "%.180s: %.60s", path, what);
	return rc;
}

static void wipe(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

static int read_token(const char *path, char **ret, char why[SPOA_ADMIN_WHY])
{
	char *token = NULL;
	int rc = spoa_file_word(path, TOKEN_MAX, &token);

	if (rc)
		return refuse(rc, why, path, strerror(-rc));
	if (strlen(token) < TOKEN_MIN) {
		wipe(token);
		return refuse(-EINVAL, why, path, "a token has at least 16 characters");
	}
	*ret = token;
	return 0;
}

/* Both, or NULL where there is none; nothing is left in tokens when it fails. */
static int read_tokens(const struct conf *conf, char *tokens[TOKENS], char why[SPOA_ADMIN_WHY])
{
	const char *const paths[TOKENS] = {conf->admin.token_file, conf->admin.read_token_file};
	int rc = 0;

	tokens[WHOLE] = tokens[READING] = NULL;
	for (size_t i = 0; !rc && i < TOKENS; i++)
		if (paths[i])
			rc = read_token(paths[i], &tokens[i], why);
	if (!rc && tokens[WHOLE] && tokens[READING] && !strcmp(tokens[WHOLE], tokens[READING]))
		rc = refuse(-EINVAL, why, paths[READING], "the same word as in token_file");
	for (size_t i = 0; rc && i < TOKENS; i++) {
		wipe(tokens[i]);
		tokens[i] = NULL;
	}
	return rc;
}

static void use_tokens(struct spoa_admin *admin)
{
	admin->guard.token = span_of(admin->tokens[WHOLE]);
	admin->guard.read_token = span_of(admin->tokens[READING]);
}

static int read_texts(struct spoa_admin *admin, const struct conf *conf, char why[SPOA_ADMIN_WHY])
{
	const struct {
		const char *path;
		char **text;
	} files[] = {{conf->admin.tls_cert, &admin->cert}, {conf->admin.tls_key, &admin->key},
		{conf->admin.client_ca, &admin->ca}};
	int rc = 0;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (files[i].path)
			rc = spoa_file_text(files[i].path, PEM_MAX, files[i].text);
		if (rc)
			return refuse(rc, why, files[i].path, strerror(-rc));
	}
	return read_tokens(conf, admin->tokens, why);
}

static int add_host(struct spoa_admin *admin, const char *name)
{
	char *copy = strdup(name);

	if (!copy)
		return -ENOMEM;
	admin->names[admin->guard.n_hosts++] = copy;
	return 0;
}

static int name_hosts(struct spoa_admin *admin, const struct conf *conf)
{
	const char *host = conf->admin.remote.tcp_host;
	int rc = add_host(admin, host);

	if (!rc && net_vet_is_us(host))
		rc = add_host(admin, "localhost");
	for (size_t i = 0; !rc && i < conf->admin.hosts.n; i++)
		rc = add_host(admin, conf->admin.hosts.items[i]);
	admin->guard.hosts = (const char *const *)admin->names;
	return rc;
}

static int serve_remote(struct ev_loop *loop, int fd, const struct conf *conf,
	struct spoa_daemon *daemon, struct spoa_admin *admin, char why[SPOA_ADMIN_WHY])
{
	cleanup(fd) int owned = fd;
	struct spoa_http_options options = {
		.routes = spoa_admin_routes,
		.n_routes = spoa_admin_n_routes,
		.arg = daemon,
		.connections = REMOTE_MAX,
		.idle_s = IDLE_S,
		.life_s = REMOTE_LIFE_S,
		.guard = &admin->guard,
	};
	int rc = read_texts(admin, conf, why);

	if (!rc)
		rc = name_hosts(admin, conf);
	if (rc)
		return rc;
	options.tls_cert = admin->cert;
	options.tls_key = admin->key;
	options.client_ca = admin->ca;
	admin->guard.certificate = admin->ca != NULL;
	use_tokens(admin);
	rc = spoa_http_new(loop, TAKE_FD(owned), &options, &admin->remote);
	if (rc)
		snprintf(why, SPOA_ADMIN_WHY, "%s",
			rc == -EKEYREJECTED ? "certificate and key cannot be used" : strerror(-rc));
	return rc;
}

int spoa_admin_new(struct ev_loop *loop, int unix_fd, int tcp_fd, const struct conf *conf,
	struct spoa_daemon *daemon, struct spoa_admin **ret, char why[SPOA_ADMIN_WHY])
{
	cleanup(fd) int local = unix_fd;
	cleanup(fd) int remote = tcp_fd;
	cleanup(spoa_admin) struct spoa_admin *admin = calloc(1, sizeof(*admin));
	const struct spoa_http_options options = {
		.routes = spoa_admin_routes,
		.n_routes = spoa_admin_n_routes,
		.arg = daemon,
		.connections = CONNECTIONS_MAX,
		.idle_s = IDLE_S,
	};
	int rc = -ENOMEM;

	snprintf(why, SPOA_ADMIN_WHY, "out of memory");
	if (admin)
		rc = spoa_http_new(loop, TAKE_FD(local), &options, &admin->local);
	if (!rc && remote >= 0)
		rc = serve_remote(loop, TAKE_FD(remote), conf, daemon, admin, why);
	if (!rc)
		*ret = TAKE_PTR(admin);
	return rc;
}

void spoa_admin_quiet(struct spoa_admin *admin)
{
	if (!admin)
		return;
	spoa_http_quiet(admin->local);
	spoa_http_quiet(admin->remote);
}

static void say(const char *path, const char *what)
{
	char why[SPOA_ADMIN_WHY];

	(void)refuse(0, why, path, what);
	spoa_log(BASE_LOG_WARNING, "admin_files", "result", why);
}

/* A listener's TLS files cannot be exchanged while it serves: that they changed is said. */
static void compare(const char *path, const char *text)
{
	char *now = NULL;
	int rc = path && text ? spoa_file_text(path, PEM_MAX, &now) : 0;

	if (rc)
		say(path, strerror(-rc));
	else if (now && strcmp(now, text))
		say(path, "changed; a restart is needed to use it");
	wipe(now);
}

void spoa_admin_renew(struct spoa_admin *admin, const struct conf *conf)
{
	char why[SPOA_ADMIN_WHY];
	char *tokens[TOKENS];

	if (!admin || !admin->remote)
		return;
	compare(conf->admin.tls_cert, admin->cert);
	compare(conf->admin.tls_key, admin->key);
	compare(conf->admin.client_ca, admin->ca);
	if (read_tokens(conf, tokens, why)) {
		spoa_log(BASE_LOG_WARNING, "admin_files", "result", why);
		return;
	}
	for (size_t i = 0; i < TOKENS; i++) {
		wipe(admin->tokens[i]);
		admin->tokens[i] = tokens[i];
	}
	use_tokens(admin);
}

void spoa_admin_free(struct spoa_admin *admin)
{
	if (!admin)
		return;
	spoa_http_free(admin->local);
	spoa_http_free(admin->remote);
	free(admin->cert);
	free(admin->ca);
	wipe(admin->key);
	for (size_t i = 0; i < TOKENS; i++)
		wipe(admin->tokens[i]);
	for (size_t i = 0; i < admin->guard.n_hosts; i++)
		free(admin->names[i]);
	free(admin);
}
