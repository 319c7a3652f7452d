#include "setup/probe.h"

#include "bpfmap/bpfmap.h"
#include "bpfmap/pin.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/*
 * An address of 127/8 that nobody else has a reason to use: a listener on it
 * takes no client from HAProxy's listener on every address.
 */
#define PROBE_ADDRESS 0x7f566964 /* 127.86.105.100 */

#define WAIT_STEP_MS 5
#define WAIT_STEPS   200 /* a second; the entry is normally there at once */
#define CHILD_S      10  /* what the child may take in all */
#define LEAVE_STEPS  200 /* a second until the kernel forgot a dead member */

/* From the child to the parent, in one write. */
struct probe_report {
	int err;
	enum setup_probed probed;
	char why[SETUP_WHY];
};

struct probe {
	struct bpfmap *map;
	const char *cgroup;
	char below[PATH_MAX]; /* where to go when the cgroup itself takes no process */
	const uint16_t *ports;
	size_t n_ports;
	struct probe_report report;
};

static void pause_ms(long ms)
{
	const struct timespec t = {.tv_nsec = ms * 1000000L};

	nanosleep(&t, NULL);
}

/* "0" is whoever writes it (cgroup-v2.rst, cgroup.procs). */
static int enter(const char *cgroup)
{
	char path[PATH_MAX];
	cleanup(fd) int fd = -1;
	int n = snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);

	if (n < 0 || n >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd >= 0 && write(fd, "0", 1) == 1 ? 0 : -errno;
}

static int enter_cgroup(struct probe *p)
{
	int err = enter(p->cgroup);

	/* A cgroup that distributes resources has no processes of its own (cgroup-v2.rst). */
	if (err == -EBUSY) {
		err = mkdir(p->below, 0755) && errno != EEXIST ? -errno : enter(p->below);
	}
	if (err)
		return bpfmap_why(p->report.why, err, "the probe cannot enter the cgroup %s: %s",
			p->cgroup, strerror(-err));
	return 0;
}

static int listen_on(uint16_t port, int *ret_fd)
{
	const struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(PROBE_ADDRESS),
	};
	cleanup(fd) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const int on = 1;

	if (fd < 0)
		return -errno;
	/* Beside HAProxy's own listener, if root made it and it shares its port. */
	if (port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)))
		return -errno;
	if (bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 1))
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* Any port when every one counts, else the first of the list that is free. */
static int listen_somewhere(const struct probe *p, int *ret_fd)
{
	int err = -EADDRINUSE;

	if (!p->n_ports)
		return listen_on(0, ret_fd);
	for (size_t i = 0; i < p->n_ports && err; i++)
		err = listen_on(p->ports[i], ret_fd);
	return err;
}

static int connect_to(int listener, int *ret_client, int *ret_server)
{
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);
	cleanup(fd) int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cleanup(fd) int server = -1;

	if (client < 0 || getsockname(listener, (struct sockaddr *)&addr, &len) ||
		connect(client, (struct sockaddr *)&addr, len))
		return -errno;
	server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (server < 0)
		return -errno;
	*ret_client = TAKE_FD(client);
	*ret_server = TAKE_FD(server);
	return 0;
}

static int key_and_cookie(int server, struct bpfmap_flow_key *ret_key, uint64_t *ret_cookie)
{
	struct sockaddr_in remote, local;
	socklen_t len = sizeof(remote), cookie_len = sizeof(*ret_cookie);

	if (getpeername(server, (struct sockaddr *)&remote, &len) ||
		getsockname(server, (struct sockaddr *)&local, &len) ||
		getsockopt(server, SOL_SOCKET, SO_COOKIE, ret_cookie, &cookie_len))
		return -errno;
	return bpfmap_flow_key((const uint8_t *)&remote.sin_addr, 4, ntohs(remote.sin_port),
		(const uint8_t *)&local.sin_addr, 4, ntohs(local.sin_port), ret_key);
}

/* Is the entry of this very socket there? Waits until the answer is the one hoped for. */
static bool wait_for(
	struct bpfmap *map, const struct bpfmap_flow_key *key, uint64_t cookie, bool hoped)
{
	for (int i = 0; i < WAIT_STEPS; i++) {
		struct bpfmap_flow flow;
		bool there = !bpfmap_flow_get(map, key, &flow) && flow.cookie == cookie;

		if (there == hoped)
			return true;
		pause_ms(WAIT_STEP_MS);
	}
	return false;
}

static int watch_connection(struct probe *p, int listener)
{
	const struct linger reset = {.l_onoff = 1};
	cleanup(fd) int client = -1;
	cleanup(fd) int server = -1;
	struct bpfmap_flow_key key;
	uint64_t cookie;
	int err;

	err = connect_to(listener, &client, &server);
	if (!err)
		err = key_and_cookie(server, &key, &cookie);
	if (err)
		return bpfmap_why(p->report.why, err,
			"the probe cannot connect over loopback (%s): is lo up?", strerror(-err));
	if (!wait_for(p->map, &key, cookie, true))
		return bpfmap_why(p->report.why, -ENXIO,
			"the probe's connection in %s did not appear in the flows map: "
			"the map may be full (bpf.max_flows)",
			p->cgroup);
	/* A reset leaves no TIME_WAIT on the port. */
	(void)setsockopt(server, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(TAKE_FD(server));
	if (!wait_for(p->map, &key, cookie, false))
		return bpfmap_why(p->report.why, -EBUSY,
			"the probe's connection closed and its entry in the flows map stayed");
	return 0;
}

static int probe_inside(struct probe *p)
{
	cleanup(fd) int listener = -1;
	int err;

	err = enter_cgroup(p);
	if (err)
		return err;
	err = listen_somewhere(p, &listener);
	if (err == -EADDRINUSE && p->n_ports) {
		p->report.probed = SETUP_PROBE_SKIPPED;
		return bpfmap_why(p->report.why, 0, "every port of bpf.ports is taken");
	}
	if (err)
		return bpfmap_why(p->report.why, err, "the probe cannot listen on loopback: %s",
			strerror(-err));
	return watch_connection(p, listener);
}

static _Noreturn void child(struct probe *p, int report_fd, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	signal(SIGALRM, SIG_DFL);
	alarm(CHILD_S);
	p->report.err = probe_inside(p);
	_exit(write(report_fd, &p->report, sizeof(p->report)) != sizeof(p->report));
}

/* The folder below, if the child made it, can go as soon as the child has left it. */
static void remove_below(const struct probe *p)
{
	for (int i = 0; i < LEAVE_STEPS && rmdir(p->below) && errno == EBUSY; i++)
		pause_ms(WAIT_STEP_MS);
}

static int run_child(struct probe *p)
{
	cleanup(fd) int from = -1;
	cleanup(fd) int to = -1;
	pid_t parent = getpid(), pid;
	ssize_t n;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	from = fds[0];
	to = fds[1];
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		child(p, to, parent);
	close(TAKE_FD(to));
	do
		n = read(from, &p->report, sizeof(p->report));
	while (n < 0 && errno == EINTR);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	remove_below(p);
	return n == sizeof(p->report) ? 0 : -EIO;
}

int setup_probe(const char *bpffs_path, const char *cgroup, const uint16_t *ports, size_t n_ports,
	enum setup_probed *ret_probed, char why[SETUP_WHY])
{
	cleanup(bpfmap) struct bpfmap *map = NULL;
	struct probe p = {.cgroup = cgroup, .ports = ports, .n_ports = n_ports};
	int err, n;

	n = snprintf(p.below, sizeof(p.below), "%s/identityd-probe.%d", cgroup, (int)getpid());
	if (n < 0 || n >= (int)sizeof(p.below))
		return bpfmap_why(why, -ENAMETOOLONG, "the path of the cgroup is too long");
	err = bpfmap_open(bpffs_path, &map, why);
	if (err)
		return err;
	p.map = map;
	err = run_child(&p);
	if (err)
		return bpfmap_why(why, err, "the probe did not come to an end: %s", strerror(-err));
	memcpy(why, p.report.why, SETUP_WHY);
	if (p.report.err)
		return p.report.err;
	*ret_probed = p.report.probed;
	return 0;
}
