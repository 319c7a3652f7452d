/*
 * What the kernel's part costs: each judgement beside an empty program and a
 * bare lookup, updates of flows, revocations, and HTTP through HAProxy with
 * and without the programs. As root; prints one line for each figure.
 */
#include "bpfmap/bench_kernel.skel.h"
#include "bpfmap/policy.h"
#include "bpfmap/state.h"
#include "bpfmap/sweep.h"
#include "tests/bench/kernel_identity.h"
#include "tests/unit/bpfmap/kernel.h"

#include <bpf/bpf.h>
#include <arpa/inet.h>
#include <bpf/libbpf.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RUNS   1000000
#define ROUNDS 5
#define COOKIE 5

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct bpfmap_flow_key key_of(uint32_t i)
{
	struct bpfmap_flow_key key = {
		.remote_port = (uint16_t)i, .local_port = 443, .family = BPFMAP_FAMILY_IPV4};

	memcpy(key.remote_addr, &i, sizeof(i));
	return key;
}

static struct bpfmap *load(uint32_t n)
{
	const struct bpfmap_load how = {.dir = kernel.bpf,
		.cgroup = kernel.cgroup,
		.clusters = 255,
		.max_flows = n,
		.max_identities = 64,
		.max_endpoints = 4096,
		.max_policy = 4096,
		.control = {.mode = {2, 2, 2, 2}}};
	struct bpfmap_loaded loaded;
	char why[BPFMAP_WHY];
	struct bpfmap *map;

	if (bpfmap_load(&how, &loaded, why) || bpfmap_open(kernel.bpf, &map, why)) {
		fprintf(stderr, "%s\n", why);
		exit(1);
	}
	/* As root, with all rights: a program may only share maps that may be written. */
	for (int i = 0; i < BPFMAP_MAPS; i++) {
		char path[PATH_MAX];

		close(map->fds[i]);
		if (bpfmap_pin_path(kernel.bpf, bpfmap_pins[i].name, path))
			exit(1);
		map->fds[i] = bpf_obj_get(path);
	}
	return map;
}

static void unload(struct bpfmap *map)
{
	char why[BPFMAP_WHY];
	unsigned n;

	bpfmap_close(map);
	if (bpfmap_unload(kernel.bpf, &n, why))
		exit(1);
}

static void fill(struct bpfmap *map, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct bpfmap_flow_key key = key_of(i);
		const struct bpfmap_flow flow = {.cookie = COOKIE,
			.identity = 300,
			.subject = 1 + i,
			.token = {1, 1 + i, 0, 0, 0}};

		if (bpf_map_update_elem(map->fds[BPFMAP_MAP_FLOWS], &key, &flow, BPF_ANY))
			exit(1);
	}
}

static void put_policy(struct bpfmap *map)
{
	struct bpfmap_target targets[256];
	struct bpfmap_rule rules[256];
	const struct bpfmap_policy policy = {targets, 256, rules, 256};
	char why[BPFMAP_WHY];
	uint32_t epoch;

	for (uint32_t i = 0; i < 256; i++) {
		targets[i] = (struct bpfmap_target){.addr = {10, (uint8_t)i},
			.len = 4,
			.prefix = 16,
			.protocol = 6,
			.port = 443,
			.service = 1 + i};
		rules[i] = (struct bpfmap_rule){.service = 1 + i,
			.identity = 300,
			.protocol = 6,
			.port_lo = 443,
			.port_hi = 443};
	}
	if (bpfmap_policy_swap(map, &policy, &epoch, why))
		exit(1);
}

/* Nanoseconds of one run: the best of some rounds, since others disturb and nobody helps. */
static double run(struct bpf_program *program, uint32_t n)
{
	uint8_t packet[64] = {[12] = 8, [14] = 0x45};
	double best = 1e9;

	memcpy(packet + 34, &n, sizeof(n));
	for (int i = 0; i < ROUNDS; i++) {
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet,
			.data_size_in = sizeof(packet), .repeat = RUNS);

		if (bpf_prog_test_run_opts(bpf_program__fd(program), &opts))
			exit(1);
		best = opts.duration < best ? opts.duration : best;
	}
	return best;
}

static void packets(uint32_t n)
{
	struct bpfmap *map = load(n);
	struct bench_kernel_bpf *s = bench_kernel_bpf__open();
	double nothing, lookup, client, destination;

	for (int i = 0; i < BPFMAP_MAPS; i++)
		if (!s ||
			bpf_map__reuse_fd(bpf_object__find_map_by_name(s->obj, bpfmap_pins[i].name),
				map->fds[i]))
			exit(1);
	if (bench_kernel_bpf__load(s))
		exit(1);
	fill(map, n);
	put_policy(map);
	nothing = run(s->progs.bench_nothing, n);
	lookup = run(s->progs.bench_lookup, n);
	client = run(s->progs.bench_client, n);
	printf("%7u flows: empty %.0f ns, bare lookup +%.0f ns, a client's packet +%.0f ns: "
	       "%.0f ns more than the lookup (goal 60)\n",
		n, nothing, lookup - nothing, client - nothing, client - lookup);
	destination = run(s->progs.bench_destination, n);
	printf("%7u flows: a marked packet +%.0f ns, a connect +%.0f ns (256 services)\n", n,
		run(s->progs.bench_marked, n) - destination,
		run(s->progs.bench_connect, n) - destination);
	bench_kernel_bpf__destroy(s);
	unload(map);
}

static void updates(void)
{
	const uint32_t n = 10000;
	struct bpfmap *map = load(n);
	enum bpfmap_bound bound;
	double begun;
	int count = 0;

	fill(map, n);
	for (begun = now_s(); now_s() - begun < 2.; count += 1000)
		for (int i = 0; i < 1000; i++) {
			const struct bpfmap_flow_key key = key_of((uint32_t)(count + i) % n);
			const struct bpfmap_binding binding = {
				.identity = 1 + (uint32_t)(count / (int)n) % 2,
				.subject = 1 + (uint32_t)(count + i) % n};

			if (bpfmap_flow_bind(map, &key, &binding, &bound) || bound != BPFMAP_BOUND)
				exit(1);
		}
	printf("updates: %.0f a second on one core (goal 250000)\n", count / (now_s() - begun));
	unload(map);
}

static void revocations(void)
{
	const uint32_t n = 100000, revoked = 10000;
	struct bpfmap_revocation *list = calloc(revoked, sizeof(*list));
	struct bpfmap *map = load(n);
	double begun, marked;
	unsigned done = 0;

	fill(map, n);
	for (uint32_t i = 0; list && i < revoked; i++)
		list[i].token[BPFMAP_TOKEN_SUB] = 1 + i * 10;
	begun = now_s();
	if (!list || bpfmap_revoke(map, list, revoked, &done) || done != revoked)
		exit(1);
	marked = now_s();
	if (bpfmap_kill(map))
		exit(1);
	printf("revocations: %u of %u flows found and marked in %.0f ms, one pass over all "
	       "sockets %.1f ms (goal 1000 in all)\n",
		done, n, (marked - begun) * 1000, (now_s() - marked) * 1000);
	free(list);
	unload(map);
}

/* HAProxy inside the cgroup, answering by itself. */
static pid_t start_haproxy(const char *config)
{
	pid_t pid = fork();

	if (!pid) {
		char procs[512];
		FILE *f;

		snprintf(procs, sizeof(procs), "%s/cgroup.procs", kernel.cgroup);
		f = fopen(procs, "we");
		if (!f || fputs("0", f) == EOF || fclose(f))
			_exit(1);
		execlp("haproxy", "haproxy", "-db", "-f", config, (char *)NULL);
		_exit(1);
	}
	usleep(500000);
	return pid;
}

#define CLIENTS 16
#define PORT    18443

static int dial(void)
{
	const struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons(PORT),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)))
		exit(1);
	return fd;
}

/* Requests a second over keep-alive connections, for one second. */
static double ask(void)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
	int fds[CLIENTS], n = 0;
	char answer[512];
	double begun;

	for (int i = 0; i < CLIENTS; i++)
		fds[i] = dial();
	begun = now_s();
	while (now_s() - begun < 1.) {
		for (int i = 0; i < CLIENTS; i++)
			if (write(fds[i], request, sizeof(request) - 1) < 0)
				exit(1);
		for (int i = 0; i < CLIENTS; i++, n++)
			if (read(fds[i], answer, sizeof(answer)) <= 0)
				exit(1);
	}
	for (int i = 0; i < CLIENTS; i++)
		close(fds[i]);
	return n / (now_s() - begun);
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void throughput(void)
{
	double rates[2][2 * ROUNDS + 1];
	char config[PATH_MAX];
	pid_t haproxy;
	FILE *f;

	snprintf(config, sizeof(config), "%s/bench.cfg", kernel.top);
	f = fopen(config, "we");
	if (!f)
		exit(1);
	fprintf(f,
		"defaults\n mode http\n timeout client 9s\n timeout server 9s\n timeout connect "
		"9s\nfrontend f\n bind 127.0.0.1:%d\n http-request return status 200\n",
		PORT);
	fclose(f);
	haproxy = start_haproxy(config);
	for (int i = 0; i < 2 * ROUNDS + 1; i++) {
		struct bpfmap *map;

		rates[0][i] = ask();
		map = load(65536);
		rates[1][i] = ask();
		unload(map);
	}
	kill(haproxy, SIGTERM);
	waitpid(haproxy, NULL, 0);
	unlink(config);
	for (int i = 0; i < 2; i++)
		qsort(rates[i], 2 * ROUNDS + 1, sizeof(double), by_value);
	printf("HTTP: %.0f requests a second without, %.0f with all programs: %.3f (goal 0.95)\n",
		rates[0][ROUNDS], rates[1][ROUNDS], rates[1][ROUNDS] / rates[0][ROUNDS]);
}

/* In a test, since the fixtures of the tests are used. */
static int missed;

START_TEST(bench)
{
	static const uint32_t sizes[] = {1000, 100000, 1000000};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		packets(sizes[i]);
	updates();
	revocations();
	throughput();
	missed = bench_kernel_identity();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bench/kernel");
	TCase *tcase = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	if (kernel_start() != 1)
		return 1;
	tcase_set_timeout(tcase, 0);
	tcase_add_checked_fixture(tcase, kernel_setup, kernel_teardown);
	tcase_add_test(tcase, bench);
	suite_add_tcase(suite, tcase);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	kernel_done();
	return failed || missed;
}
