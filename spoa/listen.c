#include "spoa/listen.h"

#include "spoa/access.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* A reload of HAProxy opens all its connections anew at once; the kernel cuts this to somaxconn. */
#define BACKLOG 4096

/* Does anybody still answer at this path? */
static bool is_alive(const struct sockaddr_un *address)
{
	cleanup(fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return true;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
		return true;
	return errno != ECONNREFUSED && errno != ENOENT;
}

/* A socket that was left behind. Anything else at this path is not ours to remove. */
static bool is_stale(const struct sockaddr_un *address)
{
	struct stat st;

	return lstat(address->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) && !is_alive(address);
}

static int set_owner(const struct conf_listen *conf, const struct spoa_user *user, const char *path,
	char why[SPOA_LISTEN_WHY])
{
	uid_t uid = user ? user->uid : (uid_t)-1;
	gid_t gid = user ? user->gid : (gid_t)-1;

	if (conf->group && spoa_access_group(conf->group, &gid)) {
		snprintf(why, SPOA_LISTEN_WHY, "%s: there is no group %s", path, conf->group);
		return -ENOENT;
	}
	if ((uid != (uid_t)-1 || gid != (gid_t)-1) && chown(path, uid, gid)) {
		snprintf(why, SPOA_LISTEN_WHY, "%s: cannot give it to group %s: %s", path,
			conf->group ? conf->group : "-", strerror(errno));
		return -EPERM;
	}
	if (chmod(path, (mode_t)conf->mode)) {
		snprintf(why, SPOA_LISTEN_WHY, "%s: chmod: %s", path, strerror(errno));
		return -EPERM;
	}
	return 0;
}

static int bind_unix(const struct conf_listen *conf, const struct spoa_user *user, int fd,
	char why[SPOA_LISTEN_WHY])
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	mode_t mask;
	int rc;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", conf->unix_path);
	mask = umask(0177); /* nobody connects before the mode is what was asked for */
	rc = bind(fd, (struct sockaddr *)&address, sizeof(address)) ? -errno : 0;
	if (rc == -EADDRINUSE && is_stale(&address)) {
		unlink(conf->unix_path);
		rc = bind(fd, (struct sockaddr *)&address, sizeof(address)) ? -errno : 0;
	}
	umask(mask);
	if (rc) {
		snprintf(why, SPOA_LISTEN_WHY, "%s: %s%s", conf->unix_path, strerror(-rc),
			rc == -EADDRINUSE ? ": another process answers there, or it is no socket"
					  : "");
		return rc;
	}
	rc = set_owner(conf, user, conf->unix_path, why);
	if (rc)
		unlink(conf->unix_path);
	return rc;
}

void spoa_listen_name(const struct conf_listen *conf, struct spoa_listen *listener)
{
	if (!conf->unix_path) {
		snprintf(listener->name, sizeof(listener->name), "tcp:%s:%u", conf->tcp_host,
			conf->tcp_port);
		return;
	}
	snprintf(listener->name, sizeof(listener->name), "unix:%s", conf->unix_path);
	if (!listener->kept)
		snprintf(listener->path, sizeof(listener->path), "%s", conf->unix_path);
}

static int open_unix(const struct conf_listen *conf, const struct spoa_user *user,
	struct spoa_listen *listener, char why[SPOA_LISTEN_WHY])
{
	cleanup(fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int rc;

	if (strlen(conf->unix_path) >= sizeof(((struct sockaddr_un *)0)->sun_path)) {
		snprintf(why, SPOA_LISTEN_WHY, "%.100s...: longer than a socket path can be",
			conf->unix_path);
		return -ENAMETOOLONG;
	}
	if (fd < 0)
		return -errno;
	rc = bind_unix(conf, user, fd, why);
	if (rc)
		return rc;
	spoa_listen_name(conf, listener);
	listener->is_unix = true;
	listener->fd = TAKE_FD(fd);
	return 0;
}

static int open_tcp(
	const struct conf_listen *conf, struct spoa_listen *listener, char why[SPOA_LISTEN_WHY])
{
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *info = NULL;
	cleanup(fd) int fd = -1;
	char port[8];
	int one = 1;
	int rc;

	snprintf(port, sizeof(port), "%u", conf->tcp_port);
	spoa_listen_name(conf, listener);
	if (getaddrinfo(conf->tcp_host, port, &hints, &info)) {
		snprintf(why, SPOA_LISTEN_WHY, "%s is not an address", conf->tcp_host);
		return -EINVAL;
	}
	fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	rc = fd < 0 || bind(fd, info->ai_addr, info->ai_addrlen) ? -errno : 0;
	freeaddrinfo(info);
	if (rc) {
		snprintf(why, SPOA_LISTEN_WHY, "%s: %s", listener->name, strerror(-rc));
		return rc;
	}
	listener->fd = TAKE_FD(fd);
	return 0;
}

int spoa_listen_open(const struct conf_listen *conf, const struct spoa_user *user,
	struct spoa_listen *ret_listen, char why[SPOA_LISTEN_WHY])
{
	struct spoa_listen listener = {.fd = -1};
	int rc = conf->unix_path ? open_unix(conf, user, &listener, why)
				 : open_tcp(conf, &listener, why);

	if (rc == 0 && listen(listener.fd, BACKLOG)) {
		rc = -errno;
		snprintf(why, SPOA_LISTEN_WHY, "%s: %s", listener.name, strerror(-rc));
	}
	if (rc) {
		spoa_listen_close(&listener);
		return rc;
	}
	*ret_listen = listener;
	return 0;
}

void spoa_listen_close(struct spoa_listen *listener)
{
	/* Unlinked while it still answers: once it does not, the path may be our successor's. */
	if (*listener->path)
		unlink(listener->path);
	listener->path[0] = '\0';
	if (listener->fd >= 0)
		close(listener->fd);
	listener->fd = -1;
}
