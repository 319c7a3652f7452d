#include "spoa/public.h"

#include "spoa/file.h"
#include "spoa/logout.h"
#include "spoa/routes.h"
#include "spoa/status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Strangers get little of everything; HAProxy in front may ask for many of them. */
#define CONNECTIONS_MAX 64
#define IDLE_S          5
#define LIFE_S          30
#define PEM_MAX         (64 * 1024)

/* Everything that strangers can reach. */
static const struct spoa_http_route ROUTES[] = {
	{"GET", "/health", "text/plain; charset=utf-8", spoa_status_health, 0, false},
	{"GET", "/.well-known/jwks.json", "application/jwk-set+json", spoa_route_jwks, 0, false},
	{"POST", "/backchannel-logout", "application/json", spoa_route_logout, SPOA_LOGOUT_BODY,
		false},
};

struct spoa_public {
	struct spoa_http *http;
	char *cert, *key; /* PEM; NULL without TLS */
};

bool spoa_public_is_on(const struct conf *conf)
{
	return conf->public.listen.unix_path || conf->public.listen.tcp_host;
}

/* 0, or -errno with a sentence in why. */
static int read_pem(const char *path, char **ret_text, char why[SPOA_PUBLIC_WHY])
{
	int rc = spoa_file_text(path, PEM_MAX, ret_text);

	if (rc)
		snprintf(why, SPOA_PUBLIC_WHY, "%.200s: %s", path, strerror(-rc));
	return rc;
}

static int read_tls(struct spoa_public *public, const struct conf *conf, char why[SPOA_PUBLIC_WHY])
{
	int rc;

	if (!conf->public.tls_cert)
		return 0;
	rc = read_pem(conf->public.tls_cert, &public->cert, why);
	return rc ? rc : read_pem(conf->public.tls_key, &public->key, why);
}

int spoa_public_new(struct ev_loop *loop, int fd, const struct conf *conf,
	struct spoa_daemon *daemon, struct spoa_public **ret, char why[SPOA_PUBLIC_WHY])
{
	cleanup(fd) int owned = fd;
	cleanup(spoa_public) struct spoa_public *public = calloc(1, sizeof(*public));
	struct spoa_http_options options = {
		.routes = ROUTES,
		.n_routes = ARRAY_SIZE(ROUTES),
		.arg = daemon,
		.connections = CONNECTIONS_MAX,
		.idle_s = IDLE_S,
		.life_s = LIFE_S,
	};
	int rc;

	snprintf(why, SPOA_PUBLIC_WHY, "out of memory");
	if (!public)
		return -ENOMEM;
	rc = read_tls(public, conf, why);
	if (rc)
		return rc;
	options.tls_cert = public->cert;
	options.tls_key = public->key;
	rc = spoa_http_new(loop, TAKE_FD(owned), &options, &public->http);
	if (rc) {
		snprintf(why, SPOA_PUBLIC_WHY, "%s",
			rc == -EKEYREJECTED ? "certificate and key cannot be used" : strerror(-rc));
		return rc;
	}
	*ret = TAKE_PTR(public);
	return 0;
}

void spoa_public_quiet(struct spoa_public *public)
{
	if (public)
		spoa_http_quiet(public->http);
}

void spoa_public_free(struct spoa_public *public)
{
	if (!public)
		return;
	spoa_http_free(public->http);
	free(public->cert);
	if (public->key)
		explicit_bzero(public->key, strlen(public->key));
	free(public->key);
	free(public);
}
