/*
 * A piece of the real kernel for one test: a bpffs in a mount namespace of
 * our own, a cgroup of our own, and connections whose listener was created in
 * that cgroup.
 */
#ifndef TESTS_KERNEL_H
#define TESTS_KERNEL_H

#include "bpfmap/bpfmap.h"
#include "bpfmap/load.h"

#include <check.h>
#include <stdbool.h>
#include <stdint.h>

/* Room of the maps, and everything enforced, for tests that do not care. */
#define KERNEL_ROOM                                                                                \
	.clusters = 255, .max_identities = 64, .max_endpoints = 512, .max_policy = 512,            \
	.control = {.mode = {2, 2, 2, 2}, .events_per_second = 1000}

#define KERNEL_USER   61001
#define KERNEL_GROUP  61002 /* the pins' */
#define KERNEL_NOBODY 61003

struct kernel {
	char top[64];     /* temporary folder, 0755 */
	char bpf[96];     /* bpffs below it */
	char cgroup[256]; /* below the first cgroup2 mount */
};

extern struct kernel kernel;

/*
 * Once, in main. 1 to run the suites that need the kernel; 0 to leave them out
 * (IDENTITYD_NO_KERNEL=1, said aloud); -1 they cannot run and nobody allowed
 * to leave them out: the program must fail.
 */
int kernel_start(void);
void kernel_done(void);

/* Fixture of every test: an empty bpffs and an empty cgroup. */
void kernel_setup(void);
void kernel_teardown(void);

/* A second cgroup beside the first; remove with rmdir. */
void kernel_make_cgroup(const char *suffix, char path[320]);

/* bpfmap_load of kernel.bpf and kernel.cgroup; asserts success. */
struct bpfmap_loaded kernel_load(const uint16_t *ports, size_t n_ports, uint32_t max_flows);
struct bpfmap *kernel_open(void);

/* A listener on any port, created by a process inside the cgroup. */
int kernel_listen(const char *cgroup, const char *address);
uint16_t kernel_port(int listener);

struct connection {
	int client;
	int server;
	struct bpfmap_flow_key key;
	uint64_t cookie; /* of the accepted socket */
};

/* Connects to the listener's port at address; client_port 0: any. */
struct connection kernel_connect(int listener, const char *address, uint16_t client_port);
/* Resets instead of an orderly close, so that the pair is free at once. */
void kernel_reset(struct connection *c);
void kernel_close(struct connection *c);

/* Waits up to a second for the entry to be there, or not to be. */
bool kernel_wait_entry(struct bpfmap *map, const struct bpfmap_flow_key *key, bool there);
/* Entries in the pinned flows map. */
unsigned kernel_count_flows(void);

/* Writes an entry as root, whatever the kernel says. */
void kernel_put(const struct bpfmap_flow_key *key, const struct bpfmap_flow *flow);

/* Runs body in a child without any capability, with this user and group; its result. */
int kernel_unprivileged(unsigned uid, unsigned gid, int (*body)(void *arg), void *arg);

/* Pins a map of this layout as kernel.bpf/name. */
void kernel_pin_map(const char *name, unsigned type, unsigned key, unsigned value, unsigned n);

#endif
