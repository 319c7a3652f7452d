/* Policies in the real kernel: by live connects, and by the harness. */
#include "bpfmap/policy.h"

#include "bpfmap/control.h"
#include "bpfmap/events.h"
#include "bpfmap/harness.skel.h"
#include "bpfmap/mark.h"
#include "bpfmap/state.h"
#include "tests/unit/bpfmap/harness.h"
#include "tests/unit/bpfmap/kernel.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

Suite *suite_policy(void);

#define FRIEND  300
#define FOE     70001 /* needs the mark's low byte */
#define SERVICE 9

static void set_control(struct bpfmap *map, int mode, bool deny_unmarked)
{
	struct bpfmap_control control;

	ck_assert_int_eq(bpfmap_control_get(map, &control), 0);
	memset(control.mode, mode, sizeof(control.mode));
	control.deny_unmarked = deny_unmarked;
	ck_assert_int_eq(bpfmap_control_put(map, &control), 0);
}

/* This port of loopback, both families, is SERVICE; the FRIEND may. */
static void swap(struct bpfmap *map, uint16_t port, bool friend_may)
{
	const struct bpfmap_target targets[] = {
		{.addr = {127, 0, 0, 1}, .len = 4, .prefix = 32, .port = port, .service = SERVICE},
		{.addr = {[15] = 1}, .len = 16, .prefix = 128, .port = port, .service = SERVICE},
	};
	const struct bpfmap_rule rule = {
		.service = SERVICE, .identity = FRIEND, .port_lo = port, .port_hi = port};
	const struct bpfmap_policy policy = {targets, 2, &rule, friend_may};
	char why[BPFMAP_WHY] = "";
	uint32_t epoch = 0;

	ck_assert_msg(!bpfmap_policy_swap(map, &policy, &epoch, why), "%s", why);
	ck_assert_uint_ne(epoch, 0);
}

/* In the child, inside the cgroup: connect, or send by UDP. 0 or -errno. */
static int try_inside(int type, const char *address, uint16_t port, uint32_t mark)
{
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	bool v4 = inet_pton(AF_INET, address, &a4.sin_addr) == 1;
	const struct sockaddr *to = v4 ? (struct sockaddr *)&a4 : (struct sockaddr *)&a6;
	socklen_t len = v4 ? sizeof(a4) : sizeof(a6);
	char procs[512];
	int fd, err;

	if (!v4 && inet_pton(AF_INET6, address, &a6.sin6_addr) != 1)
		return -EINVAL;
	snprintf(procs, sizeof(procs), "%s/cgroup.procs", kernel.cgroup);
	fd = open(procs, O_WRONLY);
	if (fd < 0 || write(fd, "0", 1) != 1)
		return -EIO;
	close(fd);
	fd = socket(v4 ? AF_INET : AF_INET6, type, 0);
	if (fd < 0)
		return -errno;
	err = mark && setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) ? -errno : 0;
	if (!err && type == SOCK_DGRAM)
		err = sendto(fd, "x", 1, 0, to, len) == 1 ? 0 : -errno;
	else if (!err)
		err = connect(fd, to, len) ? -errno : 0;
	close(fd);
	return err;
}

static int try(int type, const char *address, uint16_t port, uint32_t mark)
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (!pid)
		_exit(-try_inside(type, address, port, mark));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static const struct {
	int type;
	const char *listen, *address;
} ways[] = {
	{SOCK_STREAM, "127.0.0.1", "127.0.0.1"},
	{SOCK_STREAM, "::1", "::1"},
	{SOCK_STREAM, "::", "::ffff:127.0.0.1"},
	{SOCK_DGRAM, "127.0.0.1", "127.0.0.1"},
	{SOCK_DGRAM, "::1", "::1"},
	{SOCK_DGRAM, "::", "::ffff:127.0.0.1"},
};

START_TEST(who_may_connect)
{
	/* Goal: by TCP and UDP, IPv4, IPv6 and mapped: the friend may, the foe may not, the
	 * stranger as configured, all may while it is an audit, and elsewhere nobody is asked. */
	const uint32_t friend = bpfmap_mark_encode(FRIEND, 255), foe = bpfmap_mark_encode(FOE, 255);
	const int here = kernel_listen(kernel.cgroup, ways[_i].listen);
	const int other = kernel_listen(kernel.cgroup, ways[_i].listen);
	const uint16_t port = kernel_port(here);
	const char *to = ways[_i].address;
	const int type = ways[_i].type;
	struct bpfmap_status status;
	struct bpfmap *map;

	kernel_load(NULL, 0, 16);
	map = kernel_open();
	ck_assert_int_eq(try(type, to, port, foe), 0); /* there is no policy yet */
	swap(map, port, true);
	ck_assert_int_eq(try(type, to, port, friend), 0);
	ck_assert_int_eq(try(type, to, port, foe), -EPERM);
	ck_assert_int_eq(try(type, to, port, 0), 0);
	ck_assert_int_eq(try(type, to, kernel_port(other), foe), 0);
	set_control(map, BPFMAP_MODE_ENFORCE, true);
	ck_assert_int_eq(try(type, to, port, 0), -EPERM);
	ck_assert_int_eq(try(type, to, port, 0x11710F01), -EPERM); /* another's mark is no mark */
	ck_assert_int_eq(try(type, to, kernel_port(other), 0), 0);
	ck_assert_int_eq(bpfmap_status(map, &status), 0);
	ck_assert_uint_eq(status.counters[BPFMAP_COUNT_DENIED], 3);
	set_control(map, BPFMAP_MODE_AUDIT, true);
	ck_assert_int_eq(try(type, to, port, foe), 0);
	ck_assert_int_eq(try(type, to, port, 0), 0);
	ck_assert_int_eq(bpfmap_status(map, &status), 0);
	ck_assert_uint_ge(status.counters[BPFMAP_COUNT_AUDITED], 2);
	set_control(map, BPFMAP_MODE_ENFORCE, false);
	swap(map, port, false);
	ck_assert_int_eq(try(type, to, port, friend), -EPERM);
	close(here);
	close(other);
	bpfmap_close(map);
}
END_TEST

/* Connects as the friend until it is told to stop; -EPERM or another error ends it at once. */
static void hammer(uint16_t port, int stop)
{
	const uint32_t friend = bpfmap_mark_encode(FRIEND, 255);
	char byte;
	int err;

	while (read(stop, &byte, 1) < 0) {
		err = try_inside(SOCK_DGRAM, "127.0.0.1", port, friend);
		if (err)
			_exit(-err);
	}
	_exit(0);
}

START_TEST(swap_without_a_window)
{
	/* Goal: while sets are swapped, what every one of them allows is never refused, and what
	 * none allows never passes. */
	const int listener = kernel_listen(kernel.cgroup, "127.0.0.1");
	const uint16_t port = kernel_port(listener);
	const uint32_t foe = bpfmap_mark_encode(FOE, 255);
	int stop[2], status;
	struct bpfmap *map;
	pid_t pid;

	kernel_load(NULL, 0, 16);
	map = kernel_open();
	swap(map, port, true);
	ck_assert_int_eq(pipe2(stop, O_NONBLOCK), 0);
	pid = fork();
	if (!pid) {
		close(stop[1]);
		hammer(port, stop[0]);
	}
	close(stop[0]);
	for (int i = 0; i < 300; i++) {
		swap(map, port, true);
		if (i % 30 == 0)
			ck_assert_int_eq(try(SOCK_DGRAM, "127.0.0.1", port, foe), -EPERM);
	}
	close(stop[1]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	close(listener);
	bpfmap_close(map);
}
END_TEST

/* Connects as the foe until it is told to stop; whenever that works it ends at once. */
static void knock(uint16_t port, int stop)
{
	const uint32_t foe = bpfmap_mark_encode(FOE, 255);
	char byte;

	while (read(stop, &byte, 1) < 0) {
		int err = try_inside(SOCK_DGRAM, "127.0.0.1", port, foe);

		if (err != -EPERM)
			_exit(err ? -err : 255);
	}
	_exit(0);
}

START_TEST(setup_without_a_window)
{
	/* Goal: while setup is run again and again, with links exchanged in place, what is refused
	 * is refused at every moment. */
	const int listener = kernel_listen(kernel.cgroup, "127.0.0.1");
	const uint16_t port = kernel_port(listener);
	int stop[2], status;
	struct bpfmap *map;
	pid_t pid;

	kernel_load(NULL, 0, 16);
	map = kernel_open();
	swap(map, port, true);
	ck_assert_int_eq(pipe2(stop, O_NONBLOCK), 0);
	pid = fork();
	if (!pid) {
		close(stop[1]);
		knock(port, stop[0]);
	}
	close(stop[0]);
	for (int i = 0; i < 5; i++)
		kernel_load(NULL, 0, 16);
	close(stop[1]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	close(listener);
	bpfmap_close(map);
}
END_TEST

START_TEST(no_room)
{
	/* Goal: a set that does not fit is refused whole, the old one stays in force. */
	static struct bpfmap_rule rules[600];
	const struct bpfmap_policy big = {NULL, 0, rules, ARRAY_SIZE(rules)};
	const int listener = kernel_listen(kernel.cgroup, "127.0.0.1");
	const uint16_t port = kernel_port(listener);
	char why[BPFMAP_WHY] = "";
	struct bpfmap *map;
	uint32_t epoch = 77;

	for (uint32_t i = 0; i < ARRAY_SIZE(rules); i++)
		rules[i] = (struct bpfmap_rule){.service = 1 + i, .port_hi = 65535};
	kernel_load(NULL, 0, 16);
	map = kernel_open();
	swap(map, port, true);
	ck_assert_int_eq(bpfmap_policy_swap(map, &big, &epoch, why), -ENOSPC);
	ck_assert_ptr_nonnull(strstr(why, "bpf.max_policy"));
	ck_assert_uint_eq(epoch, 77);
	ck_assert_int_eq(try(SOCK_STREAM, "127.0.0.1", port, bpfmap_mark_encode(FRIEND, 255)), 0);
	ck_assert_int_eq(try(SOCK_STREAM, "127.0.0.1", port, bpfmap_mark_encode(FOE, 255)), -EPERM);
	swap(map, port, false); /* and what was half written is gone */
	close(listener);
	bpfmap_close(map);
}
END_TEST

/* One case of the harness, behind headers that nobody reads. */
static int judge(const struct bpfmap *map, const struct harness_case *c)
{
	struct harness_bpf *skeleton = harness_bpf__open();
	uint8_t packet[34 + sizeof(*c)] = {[12] = 8, [14] = 0x45};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet),
		.repeat = 1);

	memcpy(packet + 34, c, sizeof(*c));
	ck_assert_ptr_nonnull(skeleton);
	for (int i = 0; i < BPFMAP_MAPS; i++) {
		struct bpf_map *each =
			bpf_object__find_map_by_name(skeleton->obj, bpfmap_pins[i].name);

		ck_assert_int_eq(bpf_map__reuse_fd(each, map->fds[i]), 0);
	}
	ck_assert_int_eq(harness_bpf__load(skeleton), 0);
	ck_assert_int_eq(
		bpf_prog_test_run_opts(bpf_program__fd(skeleton->progs.harness), &opts), 0);
	harness_bpf__destroy(skeleton);
	return (int)opts.retval;
}

/* The maps as root sees them: a program may only be given descriptors that may write. */
static void reopen(struct bpfmap *map)
{
	for (int i = 0; i < BPFMAP_MAPS; i++) {
		char path[PATH_MAX];

		close(map->fds[i]);
		ck_assert_int_eq(bpfmap_pin_path(kernel.bpf, bpfmap_pins[i].name, path), 0);
		map->fds[i] = bpf_obj_get(path);
	}
}

#define ANY_PORT 8080

static const struct bpfmap_target net_targets[] = {
	{.addr = {10, 0, 0, 0}, .len = 4, .prefix = 8, .protocol = IPPROTO_TCP, .service = 1},
	{.addr = {10, 1, 0, 0}, .len = 4, .prefix = 16, .port = ANY_PORT, .service = 2},
	{.addr = {0x20, 1, 0xd, 0xb8}, .len = 16, .prefix = 32, .service = 3},
	{.addr = {[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2},
		.len = 16,
		.prefix = 120,
		.service = 4},
};
static const struct bpfmap_rule net_rules[] = {
	{.service = 1, .identity = 0, .port_lo = 80, .port_hi = 90},
	{.service = 1, .identity = FOE, .port_lo = 85, .port_hi = 85, .deny = true},
	{.service = 2, .identity = FRIEND, .protocol = IPPROTO_UDP, .port_hi = 65535},
	{.service = 3, .identity = FRIEND, .port_hi = 65535},
	{.service = 3, .identity = 0, .port_lo = 22, .port_hi = 22, .deny = true},
	{.service = 4, .identity = FRIEND, .port_lo = 443, .port_hi = 443},
};

static const struct {
	uint8_t family, protocol, addr[16];
	uint16_t port;
	uint32_t identity;
	bool may;
} judged[] = {
	{1, IPPROTO_TCP, {10, 9, 9, 9}, 80, FOE, true}, /* any identity */
	{1, IPPROTO_TCP, {10, 9, 9, 9}, 90, FRIEND, true},
	{1, IPPROTO_TCP, {10, 9, 9, 9}, 91, FRIEND, false}, /* one past the range */
	{1, IPPROTO_TCP, {10, 9, 9, 9}, 79, FRIEND, false},
	{1, IPPROTO_TCP, {10, 9, 9, 9}, 85, FOE, false}, /* its own deny over any's allow */
	{1, IPPROTO_TCP, {10, 9, 9, 9}, 85, FRIEND, true},
	{1, IPPROTO_TCP, {10, 9, 9, 9}, 80, 0, true},            /* no identity: not judged */
	{1, IPPROTO_UDP, {10, 9, 9, 9}, 91, FOE, true},          /* service 1 is TCP only */
	{1, IPPROTO_UDP, {10, 1, 9, 9}, ANY_PORT, FRIEND, true}, /* longer prefix, own port */
	{1, IPPROTO_UDP, {10, 1, 9, 9}, ANY_PORT, FOE, false},
	{1, IPPROTO_TCP, {10, 1, 9, 9}, ANY_PORT, FRIEND, false}, /* the rule is UDP's */
	{1, IPPROTO_TCP, {10, 1, 9, 9}, 80, FOE, true},           /* another port: service 1 */
	{1, IPPROTO_TCP, {11, 0, 0, 1}, 91, FOE, true},           /* not in the map */
	{2, IPPROTO_TCP, {0x20, 1, 0xd, 0xb8, 5}, 443, FRIEND, true},
	{2, IPPROTO_TCP, {0x20, 1, 0xd, 0xb8, 5}, 22, FRIEND,
		false}, /* any's deny over own allow */
	{2, IPPROTO_UDP, {0x20, 1, 0xd, 0xb8, 5}, 443, FOE, false},
	{2, IPPROTO_TCP, {0x20, 1, 0xd, 0xb9, 5}, 443, FOE, true},
	{1, IPPROTO_TCP, {192, 0, 2, 7}, 443, FRIEND, true}, /* written as mapped */
	{1, IPPROTO_TCP, {192, 0, 2, 7}, 443, FOE, false},
	{1, IPPROTO_TCP, {192, 0, 3, 7}, 443, FOE, true},
};

START_TEST(every_judgement)
{
	/* Goal: services, ranges, wildcards and denies as the header says, for connects and for
	 * packets, which are counted by identity and verdict. */
	const struct bpfmap_policy policy = {
		net_targets, ARRAY_SIZE(net_targets), net_rules, ARRAY_SIZE(net_rules)};
	char why[BPFMAP_WHY] = "";
	struct bpfmap_traffic *traffic;
	struct bpfmap *map;
	uint64_t stopped = 0;
	uint32_t epoch;
	size_t n;

	kernel_load(NULL, 0, 16);
	map = kernel_open();
	reopen(map);
	ck_assert_msg(!bpfmap_policy_swap(map, &policy, &epoch, why), "%s", why);
	for (size_t i = 0; i < ARRAY_SIZE(judged); i++) {
		struct harness_case c = {.cookie = 5,
			.mark = bpfmap_mark_encode(judged[i].identity, 255),
			.family = judged[i].family,
			.protocol = judged[i].protocol,
			.port = {(uint8_t)(judged[i].port >> 8), (uint8_t)judged[i].port}};

		memcpy(c.addr, judged[i].addr, 16);
		for (c.what = HARNESS_CONNECT; c.what <= HARNESS_MARKED; c.what++)
			ck_assert_msg(judge(map, &c) == judged[i].may, "case %zu as %d", i, c.what);
		stopped += !judged[i].may;
	}
	ck_assert_int_eq(bpfmap_traffic(map, &traffic, &n), 0);
	for (size_t i = 0; i < n; i++) {
		ck_assert(traffic[i].key.identity == FRIEND || traffic[i].key.identity == FOE);
		if (traffic[i].key.verdict == BPFMAP_STOPPED)
			stopped -= traffic[i].sum.packets;
		ck_assert_uint_eq(traffic[i].sum.bytes,
			traffic[i].sum.packets * (34 + sizeof(struct harness_case)));
	}
	ck_assert_uint_eq(stopped, 0);
	free(traffic);
	bpfmap_close(map);
}
END_TEST

static void count_event(void *arg, const struct bpfmap_event *event)
{
	unsigned *n = arg;

	ck_assert_uint_eq(event->kind, BPFMAP_EVENT_DENY);
	ck_assert_uint_eq(event->cause, BPFMAP_CAUSE_NO_RULE);
	ck_assert_uint_eq(event->identity, FOE);
	ck_assert_uint_eq(event->service, SERVICE);
	ck_assert_uint_eq(event->protocol, IPPROTO_UDP);
	ck_assert_uint_eq(event->audited, 0);
	++*n;
}

START_TEST(events_and_their_limit)
{
	/* Goal: refusals arrive as events, no more than so many a second, the rest is counted. */
	const uint32_t foe = bpfmap_mark_encode(FOE, 255);
	struct bpfmap_events *events;
	struct bpfmap_control control;
	struct bpfmap_status status;
	struct bpfmap *map;
	unsigned n = 0;

	kernel_load(NULL, 0, 16);
	map = kernel_open();
	swap(map, 9, false);
	ck_assert_int_eq(bpfmap_control_get(map, &control), 0);
	control.events_per_second = 5;
	ck_assert_int_eq(bpfmap_control_put(map, &control), 0);
	ck_assert_int_eq(bpfmap_events_open(map, count_event, &n, &events), 0);
	for (int i = 0; i < 30; i++)
		ck_assert_int_eq(try(SOCK_DGRAM, "127.0.0.1", 9, foe), -EPERM);
	ck_assert_int_ge(bpfmap_events_read(events), 5);
	ck_assert_int_eq(bpfmap_status(map, &status), 0);
	ck_assert_uint_eq(n + status.counters[BPFMAP_COUNT_EVENTS_LOST], 30);
	ck_assert_uint_le(n, 15); /* the 30 may fall into three seconds */
	ck_assert_uint_eq(status.counters[BPFMAP_COUNT_DENIED], 30);
	bpfmap_events_close(events);
	bpfmap_close(map);
}
END_TEST

/* Packets of every shape, for the real programs of the cgroup. */
static const struct {
	const char *name;
	uint8_t version;
	uint8_t bytes[80];
	unsigned n;
} shapes[] = {
	{"plain", 4, {0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 192, 0, 2, 2, 192, 0, 2, 1}, 40},
	{"the header and nothing behind it", 4,
		{0x45, 0, 0, 20, 0, 0, 0, 0, 64, 6, 0, 0, 192, 0, 2, 2, 192, 0, 2, 1}, 20},
	{"options", 4, {0x4f, 0, 0, 80, 0, 0, 0, 0, 64, 6, 0, 0, 192, 0, 2, 2, 192, 0, 2, 1, 1, 1},
		80},
	{"options that are cut off", 4,
		{0x4f, 0, 0, 60, 0, 0, 0, 0, 64, 6, 0, 0, 192, 0, 2, 2, 192, 0, 2, 1}, 24},
	{"first fragment", 4,
		{0x45, 0, 0, 40, 0, 1, 0x20, 0, 64, 6, 0, 0, 192, 0, 2, 2, 192, 0, 2, 1}, 40},
	{"later fragment", 4, {0x45, 0, 0, 40, 0, 1, 0, 9, 64, 6, 0, 0, 192, 0, 2, 2, 192, 0, 2, 1},
		40},
	{"IPv6", 6, {0x60, [5] = 20, 6, 64, 0x20, 1, [23] = 2, 0x20, 1, [39] = 1}, 60},
	{"IPv6, header only", 6, {0x60, [6] = 6, 64, 0x20, 1, [23] = 2, 0x20, 1, [39] = 1}, 40},
	{"IPv6, hop by hop and fragment", 6,
		{0x60, [5] = 36, 0, 64, 0x20, 1, [23] = 2, 0x20, 1, [39] = 1, 44, 0, 1,
			4, [48] = 6},
		76},
};

/* What the kernel's test socket has: the packet's addresses, and no ports. */
static struct bpfmap_flow_key test_key(uint8_t version)
{
	static const struct bpfmap_flow_key v4 = {.remote_addr = {192, 0, 2, 1},
		.local_addr = {192, 0, 2, 2},
		.family = BPFMAP_FAMILY_IPV4};
	static const struct bpfmap_flow_key v6 = {.remote_addr = {0x20, 1, [15] = 1},
		.local_addr = {0x20, 1, [15] = 2},
		.family = BPFMAP_FAMILY_IPV6};

	return version == 4 ? v4 : v6;
}

static int run_packet(const char *pin, const uint8_t *bytes, unsigned n, uint8_t version)
{
	uint8_t packet[14 + 80] = {[12] = version == 4 ? 8 : 0x86, [13] = version == 4 ? 0 : 0xdd};
	LIBBPF_OPTS(
		bpf_test_run_opts, opts, .data_in = packet, .data_size_in = 14 + n, .repeat = 1);
	struct bpf_link_info info = {0};
	uint32_t len = sizeof(info);
	char path[PATH_MAX];
	int link, prog;

	memcpy(packet + 14, bytes, n);
	ck_assert_int_eq(bpfmap_pin_path(kernel.bpf, pin, path), 0);
	link = bpf_obj_get(path);
	ck_assert_int_eq(bpf_obj_get_info_by_fd(link, &info, &len), 0);
	prog = bpf_prog_get_fd_by_id(info.prog_id);
	ck_assert_int_ge(prog, 0);
	ck_assert_int_eq(bpf_prog_test_run_opts(prog, &opts), 0);
	close(prog);
	close(link);
	return (int)opts.retval;
}

START_TEST(packets_of_every_shape)
{
	/* Goal: each shape of packet gets the verdict of its socket's flow, in both directions. */
	static const struct {
		uint32_t flags;
		uint64_t expires;
		bool may;
	} flows[] = {
		{0, 0, true},
		{0, 1, true}, /* an expiry that does not kill */
		{BPFMAP_FLOW_REVOKED, 0, false},
		{BPFMAP_FLOW_KILL, 1, false},
		{BPFMAP_FLOW_KILL, ~0ULL, true},
		{BPFMAP_FLOW_KILL | BPFMAP_FLOW_SHARED, 1, true},
		{BPFMAP_FLOW_REVOKED | BPFMAP_FLOW_DYING, 0, true},
	};
	static const char *const pins[] = {"ingress", "egress"};
	struct bpfmap *map;

	kernel_load(NULL, 0, 16);
	map = kernel_open();
	for (size_t i = 0; i < 2 * ARRAY_SIZE(flows); i++) {
		const struct bpfmap_flow flow = {.flags = flows[i / 2].flags,
			.expires = flows[i / 2].expires,
			.identity = FRIEND};
		struct bpfmap_flow_key key = test_key(shapes[_i].version);

		kernel_put(&key, &flow);
		ck_assert_msg((run_packet(pins[i % 2], shapes[_i].bytes, shapes[_i].n,
				       shapes[_i].version) &
				      1) == flows[i / 2].may,
			"%s, %s, flow %zu", shapes[_i].name, pins[i % 2], i / 2);
	}
	bpfmap_close(map);
}
END_TEST

Suite *suite_policy(void)
{
	Suite *suite = suite_create("bpfmap/policy");
	TCase *tcase = tcase_create("all");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, kernel_setup, kernel_teardown);
	tcase_add_loop_test(tcase, who_may_connect, 0, ARRAY_SIZE(ways));
	tcase_add_test(tcase, swap_without_a_window);
	tcase_add_test(tcase, setup_without_a_window);
	tcase_add_test(tcase, no_room);
	tcase_add_test(tcase, every_judgement);
	tcase_add_test(tcase, events_and_their_limit);
	tcase_add_loop_test(tcase, packets_of_every_shape, 0, ARRAY_SIZE(shapes));
	suite_add_tcase(suite, tcase);
	return suite;
}
