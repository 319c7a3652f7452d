#include "tests/unit/bpfmap/kernel.h"

#include "bpfmap/pin.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <mntent.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct kernel kernel;
static char cgroup_top[200];

static const char *find_cgroup2(void)
{
	static char dir[128];
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	const struct mntent *entry;

	while (mounts && (entry = getmntent(mounts))) {
		if (!dir[0] && !strcmp(entry->mnt_type, "cgroup2"))
			snprintf(dir, sizeof(dir), "%s", entry->mnt_dir);
	}
	if (mounts)
		endmntent(mounts);
	return dir[0] ? dir : NULL;
}

/* What is missing for a test with the kernel, or NULL. */
static const char *start(void)
{
	const char *cgroup2 = find_cgroup2();

	if (geteuid())
		return "not root";
	if (!cgroup2)
		return "no cgroup2 mount";
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return "no mount namespace of our own";
	snprintf(kernel.top, sizeof(kernel.top), "/tmp/identityd-test.XXXXXX");
	if (!mkdtemp(kernel.top) || chmod(kernel.top, 0755))
		return "no temporary folder";
	snprintf(kernel.bpf, sizeof(kernel.bpf), "%s/bpf", kernel.top);
	snprintf(cgroup_top, sizeof(cgroup_top), "%s/identityd-test.%d", cgroup2, (int)getpid());
	snprintf(kernel.cgroup, sizeof(kernel.cgroup), "%s/a", cgroup_top);
	if (mkdir(cgroup_top, 0755))
		return "no cgroup of our own";
	return NULL;
}

int kernel_start(void)
{
	const char *allowed = getenv("IDENTITYD_NO_KERNEL");
	const char *missing = start();

	if (!missing)
		return 1;
	if (allowed && !strcmp(allowed, "1")) {
		printf("SKIPPED: tests that need the kernel: %s\n", missing);
		return 0;
	}
	printf("FAILED: tests that need the kernel cannot run: %s "
	       "(IDENTITYD_NO_KERNEL=1 leaves them out)\n",
		missing);
	return -1;
}

/* Depth first; a cgroup's files go with it. */
static void remove_cgroups(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	char below[512];

	while (dir && (entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);
		remove_cgroups(below);
	}
	if (dir)
		closedir(dir);
	for (int i = 0; i < 100 && rmdir(path) && errno == EBUSY; i++)
		usleep(10000);
}

/* What a test that failed left in the temporary folder. */
static void remove_files(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_type == DT_REG)
			unlinkat(dirfd(dir), entry->d_name, 0);
	}
	if (dir)
		closedir(dir);
}

void kernel_done(void)
{
	if (!kernel.bpf[0])
		return;
	if (cgroup_top[0])
		remove_cgroups(cgroup_top);
	/* A test that failed left its mount. */
	while (!umount2(kernel.bpf, MNT_DETACH))
		;
	rmdir(kernel.bpf);
	remove_files(kernel.top);
	rmdir(kernel.top);
}

void kernel_setup(void)
{
	ck_assert_int_eq(mkdir(kernel.bpf, 0750) && errno != EEXIST, 0);
	ck_assert_int_eq(mount("test", kernel.bpf, "bpf", 0, NULL), 0);
	ck_assert_int_eq(chown(kernel.bpf, 0, KERNEL_GROUP), 0);
	ck_assert_int_eq(chmod(kernel.bpf, 0750), 0);
	ck_assert_int_eq(mkdir(kernel.cgroup, 0755) && errno != EEXIST, 0);
}

void kernel_teardown(void)
{
	umount2(kernel.bpf, MNT_DETACH);
	remove_cgroups(kernel.cgroup);
}

void kernel_make_cgroup(const char *suffix, char path[320])
{
	snprintf(path, 320, "%s/%s", cgroup_top, suffix);
	ck_assert_int_eq(mkdir(path, 0755), 0);
}

struct bpfmap_loaded kernel_load(const uint16_t *ports, size_t n_ports, uint32_t max_flows)
{
	const struct bpfmap_load load = {
		.dir = kernel.bpf,
		.cgroup = kernel.cgroup,
		.group = KERNEL_GROUP,
		.ports = ports,
		.n_ports = n_ports,
		.max_flows = max_flows,
		KERNEL_ROOM,
		.verbose = true,
	};
	struct bpfmap_loaded loaded;
	char why[BPFMAP_WHY] = "";
	int err = bpfmap_load(&load, &loaded, why);

	ck_assert_msg(!err, "bpfmap_load: %d %s", err, why);
	return loaded;
}

struct bpfmap *kernel_open(void)
{
	struct bpfmap *map = NULL;
	char why[BPFMAP_WHY] = "";
	int err = bpfmap_open(kernel.bpf, &map, why);

	ck_assert_msg(!err, "bpfmap_open: %d %s", err, why);
	return map;
}

static socklen_t make_address(const char *text, uint16_t port, struct sockaddr_storage *ret)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		return sizeof(*v4);
	}
	ck_assert_int_eq(inet_pton(AF_INET6, text, &v6->sin6_addr), 1);
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	return sizeof(*v6);
}

/* In the child: everything that makes the socket belong to the cgroup. */
static int listen_inside(const char *cgroup, const char *address)
{
	struct sockaddr_storage addr;
	socklen_t len = make_address(address, 0, &addr);
	const int off = 0;
	char procs[512];
	int fd;

	snprintf(procs, sizeof(procs), "%s/cgroup.procs", cgroup);
	fd = open(procs, O_WRONLY);
	if (fd < 0 || write(fd, "0", 1) != 1)
		return -1;
	close(fd);
	fd = socket(addr.ss_family, SOCK_STREAM, 0);
	if (addr.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, (struct sockaddr *)&addr, len) || listen(fd, 128))
		return -1;
	return fd;
}

union control {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int))];
};

static void send_fd(int to, int fd)
{
	union control control = {0};
	struct iovec iov = {.iov_base = (char[]){0}, .iov_len = 1};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&msg);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	sendmsg(to, &msg, 0);
}

static int receive_fd(int from)
{
	union control control = {0};
	char byte;
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	const struct cmsghdr *header;
	int fd = -1;

	if (recvmsg(from, &msg, 0) != 1)
		return -1;
	header = CMSG_FIRSTHDR(&msg);
	if (header)
		memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

int kernel_listen(const char *cgroup, const char *address)
{
	int pair[2], fd;
	pid_t pid;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		fd = listen_inside(cgroup, address);
		if (fd >= 0)
			send_fd(pair[1], fd);
		_exit(0);
	}
	close(pair[1]);
	fd = receive_fd(pair[0]);
	close(pair[0]);
	waitpid(pid, NULL, 0);
	ck_assert_msg(fd >= 0, "no listener on %s in %s", address, cgroup);
	return fd;
}

uint16_t kernel_port(int listener)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&addr, &len), 0);
	/* The port is at the same place in both families. */
	return ntohs(((struct sockaddr_in *)&addr)->sin_port);
}

/* What the socket calls say, which is what the agent gets from HAProxy. */
static const uint8_t *bytes_of(const struct sockaddr_storage *addr, size_t *ret_len)
{
	if (addr->ss_family == AF_INET) {
		*ret_len = 4;
		return (const uint8_t *)&((const struct sockaddr_in *)addr)->sin_addr;
	}
	*ret_len = 16;
	return (const uint8_t *)&((const struct sockaddr_in6 *)addr)->sin6_addr;
}

static void describe(struct connection *c)
{
	struct sockaddr_storage remote, local;
	socklen_t remote_size = sizeof(remote), local_size = sizeof(local);
	socklen_t cookie_size = sizeof(c->cookie);
	const uint8_t *r, *l;
	size_t r_len, l_len;

	ck_assert_int_eq(getpeername(c->server, (struct sockaddr *)&remote, &remote_size), 0);
	ck_assert_int_eq(getsockname(c->server, (struct sockaddr *)&local, &local_size), 0);
	ck_assert_int_eq(getsockopt(c->server, SOL_SOCKET, SO_COOKIE, &c->cookie, &cookie_size), 0);
	r = bytes_of(&remote, &r_len);
	l = bytes_of(&local, &l_len);
	ck_assert_int_eq(bpfmap_flow_key(r, r_len, kernel_port(c->client), l, l_len,
				 kernel_port(c->server), &c->key),
		0);
}

struct connection kernel_connect(int listener, const char *address, uint16_t client_port)
{
	struct sockaddr_storage addr;
	socklen_t len = make_address(address, client_port, &addr);
	struct connection c;
	const int on = 1;

	c.client = socket(addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(c.client, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (client_port)
		ck_assert_int_eq(bind(c.client, (struct sockaddr *)&addr, len), 0);
	len = make_address(address, kernel_port(listener), &addr);
	ck_assert_int_eq(connect(c.client, (struct sockaddr *)&addr, len), 0);
	c.server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ge(c.server, 0);
	describe(&c);
	return c;
}

void kernel_close(struct connection *c)
{
	close(c->client);
	close(c->server);
}

void kernel_reset(struct connection *c)
{
	const struct linger reset = {.l_onoff = 1};

	setsockopt(c->client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	kernel_close(c);
}

bool kernel_wait_entry(struct bpfmap *map, const struct bpfmap_flow_key *key, bool there)
{
	struct bpfmap_flow flow;

	for (int i = 0; i < 200; i++) {
		if (!bpfmap_flow_get(map, key, &flow) == there)
			return true;
		usleep(5000);
	}
	return false;
}

static int flows_fd(void)
{
	char path[PATH_MAX];
	int fd;

	ck_assert_int_eq(bpfmap_pin_path(kernel.bpf, BPFMAP_PIN_FLOWS, path), 0);
	fd = bpf_obj_get(path);
	ck_assert_int_ge(fd, 0);
	return fd;
}

unsigned kernel_count_flows(void)
{
	struct bpfmap_flow_key key, *last = NULL;
	int fd = flows_fd();
	unsigned n = 0;

	while (!bpf_map_get_next_key(fd, last, &key)) {
		last = &key;
		n++;
	}
	close(fd);
	return n;
}

void kernel_put(const struct bpfmap_flow_key *key, const struct bpfmap_flow *flow)
{
	int fd = flows_fd();

	ck_assert_int_eq(bpf_map_update_elem(fd, key, flow, BPF_ANY), 0);
	close(fd);
}

/* CapEff 0 and NoNewPrivs 1, as the kernel says it. */
static bool has_no_rights(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	unsigned long long caps = ~0ULL;
	int no_new = 0;
	char line[256];

	while (f && fgets(line, sizeof(line), f)) {
		sscanf(line, "CapEff: %llx", &caps);
		sscanf(line, "NoNewPrivs: %d", &no_new);
	}
	if (f)
		fclose(f);
	return caps == 0 && no_new == 1;
}

int kernel_unprivileged(unsigned uid, unsigned gid, int (*body)(void *arg), void *arg)
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (!pid) {
		const gid_t groups[] = {gid};

		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || setgroups(1, groups) ||
			setresgid(gid, gid, gid) || setresuid(uid, uid, uid) || !has_no_rights())
			_exit(255);
		_exit(body(arg));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_ne(WEXITSTATUS(status), 255);
	return WEXITSTATUS(status);
}

void kernel_pin_map(const char *name, unsigned type, unsigned key, unsigned value, unsigned n)
{
	char path[PATH_MAX];
	int fd = bpf_map_create(type, "test", key, value, n, NULL);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bpfmap_pin_path(kernel.bpf, name, path), 0);
	ck_assert_int_eq(bpf_obj_pin(fd, path), 0);
	close(fd);
}
