#include "spoa/inherit.h"

#include "base/cidr.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_FD 3 /* SD_LISTEN_FDS_START */

union address {
	struct sockaddr any;
	struct sockaddr_storage storage;
	struct sockaddr_un local;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* A variable as a number from 0 to max; -1: missing or something else. */
static long read_number(const char *name, long max)
{
	const char *text = getenv(name);
	char *end;
	long number;

	if (!text || *text < '0' || *text > '9')
		return -1;
	errno = 0;
	number = strtol(text, &end, 10);
	return *end || errno || number > max ? -1 : number;
}

static bool is_listening(int fd)
{
	int on = 0, type = 0;
	socklen_t len = sizeof(on);

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) || !on)
		return false;
	len = sizeof(type);
	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type != SOCK_DGRAM;
}

int spoa_inherit_add(struct spoa_inherit *inherit, int fd, bool kept)
{
	int flags = fcntl(fd, F_GETFL);

	if (inherit->n == SPOA_INHERIT_MAX) {
		close(fd);
		return -ENOBUFS;
	}
	inherit->items[inherit->n].fd = fd;
	inherit->items[inherit->n++].kept = kept;
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) || fcntl(fd, F_SETFD, FD_CLOEXEC))
		return -errno;
	return 0;
}

int spoa_inherit_environment(struct spoa_inherit *inherit, char why[SPOA_LISTEN_WHY])
{
	bool ours = read_number("LISTEN_PID", INT32_MAX) == (long)getpid();
	long n = read_number("LISTEN_FDS", SPOA_INHERIT_MAX);
	int rc = 0;

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (!ours)
		return 0;
	if (n < 0) {
		snprintf(
			why, SPOA_LISTEN_WHY, "LISTEN_FDS is no number up to %d", SPOA_INHERIT_MAX);
		return -EINVAL;
	}
	for (int fd = FIRST_FD; !rc && fd < FIRST_FD + n; fd++) {
		rc = spoa_inherit_add(inherit, fd, true);
		if (!rc && !is_listening(fd))
			rc = -ENOTSOCK;
		if (rc)
			snprintf(why, SPOA_LISTEN_WHY,
				"descriptor %d of LISTEN_FDS is no listening socket", fd);
	}
	return rc;
}

static bool is_at(const union address *address, const struct conf_listen *conf)
{
	struct base_cidr host;
	uint8_t bytes[16];

	if (conf->unix_path)
		return address->any.sa_family == AF_UNIX &&
		       !strncmp(address->local.sun_path, conf->unix_path,
			       sizeof(address->local.sun_path));
	if (base_cidr_parse(conf->tcp_host, &host))
		return false;
	if (address->any.sa_family == AF_INET) {
		base_cidr_address((const uint8_t *)&address->v4.sin_addr, 4, bytes);
		return ntohs(address->v4.sin_port) == conf->tcp_port &&
		       !memcmp(bytes, host.bytes, sizeof(bytes));
	}
	return address->any.sa_family == AF_INET6 &&
	       ntohs(address->v6.sin6_port) == conf->tcp_port &&
	       !memcmp(&address->v6.sin6_addr, host.bytes, sizeof(bytes));
}

bool spoa_inherit_take(
	struct spoa_inherit *inherit, const struct conf_listen *conf, struct spoa_listen *ret)
{
	for (size_t i = 0; i < inherit->n; i++) {
		union address address = {.any.sa_family = AF_UNSPEC};
		socklen_t len = sizeof(address);
		int fd = inherit->items[i].fd;

		if (fd < 0 || getsockname(fd, &address.any, &len) || !is_at(&address, conf))
			continue;
		*ret = (struct spoa_listen){
			.fd = TAKE_FD(inherit->items[i].fd),
			.is_unix = conf->unix_path != NULL,
			.kept = inherit->items[i].kept,
		};
		spoa_listen_name(conf, ret);
		return true;
	}
	return false;
}

static void describe(int fd, char why[SPOA_LISTEN_WHY])
{
	union address address = {.any.sa_family = AF_UNSPEC};
	socklen_t len = sizeof(address);
	char host[64] = "?", port[8] = "?";

	(void)!getsockname(fd, &address.any, &len);
	if (address.any.sa_family == AF_UNIX)
		snprintf(host, sizeof(host), "%.60s", address.local.sun_path);
	else
		(void)!getnameinfo(&address.any, len, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(why, SPOA_LISTEN_WHY,
		"a socket at %s%s%s was passed, and no entry of the configuration has this address",
		host, address.any.sa_family == AF_UNIX ? "" : ":",
		address.any.sa_family == AF_UNIX ? "" : port);
}

int spoa_inherit_done(struct spoa_inherit *inherit, char why[SPOA_LISTEN_WHY])
{
	int rc = 0;

	for (size_t i = 0; i < inherit->n; i++) {
		if (inherit->items[i].fd < 0)
			continue;
		describe(inherit->items[i].fd, why);
		close(TAKE_FD(inherit->items[i].fd));
		rc = -EINVAL;
	}
	inherit->n = 0;
	return rc;
}
