/*
 * The proof that the kernel program is at work: a real connection, accepted
 * inside the cgroup, must appear in the flows map and go again.
 */
#ifndef SETUP_PROBE_H
#define SETUP_PROBE_H

#include "base/mem.h"
#include "setup/setup.h"

enum setup_probed {
	SETUP_PROBED,
	SETUP_PROBE_SKIPPED, /* no port of the list could be listened on */
};

/*
 * Forks a child that enters the cgroup (or, where the kernel allows no process
 * in it because it distributes resources, a folder below it for the moment),
 * listens on loopback and connects to itself. 0; or -errno with a sentence in
 * why: -ENXIO no entry appeared, -EBUSY it did not go, ...
 * When it was skipped why says the reason too.
 */
int setup_probe(const char *bpffs_path, const char *cgroup, const uint16_t *ports, size_t n_ports,
	enum setup_probed *ret_probed, char why[SETUP_WHY]) must_check;

#endif
