#include "setup/probe.h"

#include "bpfmap/pin.h"
#include "tests/unit/bpfmap/kernel.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

Suite *suite_probe(void);

static unsigned count_folders(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	unsigned n = 0;

	while (dir && (entry = readdir(dir)))
		n += entry->d_type == DT_DIR && entry->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return n;
}

START_TEST(sees_the_program)
{
	/* Goal: with the program attached the probe succeeds and leaves nothing behind. */
	enum setup_probed probed = SETUP_PROBE_SKIPPED;
	char why[SETUP_WHY] = "";
	int err;

	kernel_load(NULL, 0, 16);
	err = setup_probe(kernel.bpf, kernel.cgroup, NULL, 0, &probed, why);
	ck_assert_msg(!err, "%s", why);
	ck_assert_int_eq(probed, SETUP_PROBED);
	ck_assert_uint_eq(kernel_count_flows(), 0);
	ck_assert_uint_eq(count_folders(kernel.cgroup), 0);
}
END_TEST

START_TEST(sees_a_missing_program)
{
	/* Goal: maps without a program at work are an error, whatever the link says. */
	enum setup_probed probed;
	char why[SETUP_WHY] = "", other[320];

	kernel_load(NULL, 0, 16);
	kernel_make_cgroup("elsewhere", other);
	ck_assert_int_eq(setup_probe(kernel.bpf, other, NULL, 0, &probed, why), -ENXIO);
	ck_assert_ptr_nonnull(strstr(why, "did not appear"));
	rmdir(other);
}
END_TEST

START_TEST(sees_a_full_map)
{
	/* Goal: a map without room for the probe is an error too. */
	const struct bpfmap_flow_key key = {.family = BPFMAP_FAMILY_IPV4};
	const struct bpfmap_flow flow = {0};
	enum setup_probed probed;
	char why[SETUP_WHY] = "";

	kernel_load(NULL, 0, 1);
	kernel_put(&key, &flow);
	ck_assert_int_eq(setup_probe(kernel.bpf, kernel.cgroup, NULL, 0, &probed, why), -ENXIO);
	ck_assert_ptr_nonnull(strstr(why, "full"));
}
END_TEST

START_TEST(uses_a_listed_port)
{
	/* Goal: with a list the probe takes a port of it, and the filter lets it through. */
	enum setup_probed probed = SETUP_PROBE_SKIPPED;
	char why[SETUP_WHY] = "";
	int taken = kernel_listen(kernel.cgroup, "127.0.0.1");
	uint16_t ports[1] = {kernel_port(taken)};
	int err;

	close(taken);
	kernel_load(ports, 1, 16);
	err = setup_probe(kernel.bpf, kernel.cgroup, ports, 1, &probed, why);
	ck_assert_msg(!err, "%s", why);
	ck_assert_int_eq(probed, SETUP_PROBED);
}
END_TEST

START_TEST(skips_when_ports_are_taken)
{
	/* Goal: when HAProxy has every port for itself the probe is skipped and says why. */
	enum setup_probed probed = SETUP_PROBED;
	char why[SETUP_WHY] = "";
	int taken = kernel_listen(kernel.cgroup, "0.0.0.0");
	uint16_t ports[1] = {kernel_port(taken)};

	kernel_load(ports, 1, 16);
	ck_assert_int_eq(setup_probe(kernel.bpf, kernel.cgroup, ports, 1, &probed, why), 0);
	ck_assert_int_eq(probed, SETUP_PROBE_SKIPPED);
	ck_assert_ptr_nonnull(strstr(why, "taken"));
	close(taken);
}
END_TEST

START_TEST(shares_a_shared_port)
{
	/* Goal: beside a listener with SO_REUSEPORT, as HAProxy's are, the probe still runs. */
	struct sockaddr_in addr = {.sin_family = AF_INET};
	enum setup_probed probed = SETUP_PROBE_SKIPPED;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char why[SETUP_WHY] = "";
	const int on = 1;
	uint16_t port;
	int err;

	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	port = kernel_port(fd);
	kernel_load(&port, 1, 16);
	err = setup_probe(kernel.bpf, kernel.cgroup, &port, 1, &probed, why);
	ck_assert_msg(!err, "%s", why);
	ck_assert_int_eq(probed, SETUP_PROBED);
	/* Nobody came to the other listener. */
	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	ck_assert_int_eq(accept(fd, NULL, NULL), -1);
	close(fd);
}
END_TEST

/* The first controller of a cgroup that is (or may be) handed down; "" when there is none. */
static void first_word(const char *cgroup, const char *name, char word[64])
{
	char file[512];
	FILE *f;

	snprintf(file, sizeof(file), "%s/%s", cgroup, name);
	f = fopen(file, "re");
	if (!f || fscanf(f, "%63s", word) != 1)
		word[0] = '\0';
	if (f)
		fclose(f);
}

static bool hand_down(const char *cgroup, char sign, const char *controller)
{
	char file[512], word[80];
	bool done;
	int fd;

	snprintf(file, sizeof(file), "%s/cgroup.subtree_control", cgroup);
	snprintf(word, sizeof(word), "%c%s", sign, controller);
	fd = open(file, O_WRONLY | O_CLOEXEC);
	done = fd >= 0 && write(fd, word, strlen(word)) > 0;
	close(fd);
	return done;
}

START_TEST(cgroup_that_takes_no_process)
{
	/* Goal: in a cgroup that distributes resources the probe goes below, and cleans up. */
	enum setup_probed probed = SETUP_PROBE_SKIPPED;
	char why[SETUP_WHY] = "", top[300], root[300], controller[64], before[64];
	unsigned left;
	bool restored;
	int err;

	snprintf(top, sizeof(top), "%s/..", kernel.cgroup);
	snprintf(root, sizeof(root), "%s/../..", kernel.cgroup);
	first_word(root, "cgroup.subtree_control", before);
	first_word(root, before[0] ? "cgroup.subtree_control" : "cgroup.controllers", controller);
	if (!controller[0]) {
		printf("SKIPPED: cgroup_that_takes_no_process: cgroup2 has no controller here\n");
		return;
	}
	ck_assert(before[0] || hand_down(root, '+', controller));
	ck_assert(hand_down(top, '+', controller));
	ck_assert(hand_down(kernel.cgroup, '+', controller));
	kernel_load(NULL, 0, 16);
	err = setup_probe(kernel.bpf, kernel.cgroup, NULL, 0, &probed, why);
	left = count_folders(kernel.cgroup);
	/* The root's is the machine's: it gets back what it had. */
	restored = hand_down(kernel.cgroup, '-', controller) && hand_down(top, '-', controller) &&
		   (before[0] || hand_down(root, '-', controller));
	ck_assert_msg(!err, "%s", why);
	ck_assert_int_eq(probed, SETUP_PROBED);
	ck_assert_uint_eq(left, 0);
	ck_assert(restored);
}
END_TEST

START_TEST(no_maps)
{
	/* Goal: without pins the probe says so instead of probing. */
	enum setup_probed probed;
	char why[SETUP_WHY] = "";

	ck_assert_int_eq(setup_probe(kernel.bpf, kernel.cgroup, NULL, 0, &probed, why), -ENOENT);
}
END_TEST

Suite *suite_probe(void)
{
	Suite *suite = suite_create("setup/probe");
	TCase *tcase = tcase_create("all");

	tcase_set_timeout(tcase, 30);
	tcase_add_checked_fixture(tcase, kernel_setup, kernel_teardown);
	tcase_add_test(tcase, sees_the_program);
	tcase_add_test(tcase, sees_a_missing_program);
	tcase_add_test(tcase, sees_a_full_map);
	tcase_add_test(tcase, uses_a_listed_port);
	tcase_add_test(tcase, skips_when_ports_are_taken);
	tcase_add_test(tcase, shares_a_shared_port);
	tcase_add_test(tcase, cgroup_that_takes_no_process);
	tcase_add_test(tcase, no_maps);
	suite_add_tcase(suite, tcase);
	return suite;
}
