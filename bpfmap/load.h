/*
 * The privileged side, for identityd-setup: creates and pins the maps, loads
 * the kernel programs and holds them on a cgroup. Everything may be repeated;
 * a repetition never empties a map and never leaves a moment without a
 * program.
 */
#ifndef BPFMAP_LOAD_H
#define BPFMAP_LOAD_H

#include "base/mem.h"
#include "bpfmap/bpfmap.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* stats has room for each identity's verdicts in both directions. */
#define BPFMAP_STATS_PER_IDENTITY (2 * BPFMAP_VERDICTS)

struct bpfmap_load {
	const char *dir;       /* on a bpffs */
	const char *cgroup;    /* a folder of cgroup v2 */
	gid_t group;           /* of the pins */
	const uint16_t *ports; /* host order */
	size_t n_ports;        /* at most BPFMAP_PORTS_MAX; 0: every listener */
	uint32_t clusters;     /* of the mark codec: 255 or 511 */
	/* Room of maps that are not there yet, none of it 0. */
	uint32_t max_flows;
	uint32_t max_identities;
	uint32_t max_endpoints;
	uint32_t max_policy;
	uint32_t without;              /* bits 1 << enum bpfmap_program: leave these out */
	struct bpfmap_control control; /* until an agent writes its own */
	bool verbose;                  /* libbpf's own messages to stderr */
};

enum bpfmap_attach {
	BPFMAP_ATTACHED, /* for the first time, or the old cgroup is gone */
	BPFMAP_UPDATED,  /* the same cgroup: program exchanged in place */
	BPFMAP_MOVED,    /* another cgroup: the new link came before the old one went */
};

struct bpfmap_loaded {
	unsigned n_created;     /* maps; the rest was reused */
	uint32_t max_flows;     /* a reused map keeps its room */
	bool settings_written;  /* they differed */
	enum bpfmap_attach how; /* what happened to the links */
	uint32_t lacks;         /* bits 1 << enum bpfmap_program: this kernel refuses them */
	uint32_t left_out;      /* those of without */
	int lack_errors[BPFMAP_PROGRAMS]; /* -errno of each in lacks */
	unsigned n_seeded; /* connections that were there before; 0 without a list of ports */
};

/*
 * Checks every pin that is there before it changes anything. 0, or -errno
 * with a sentence in why: -EPROTO a pin has another layout (both in why),
 * -EPERM, -ENOENT no such cgroup, -EINVAL not a cgroup v2, ...
 * An optional program that the kernel refuses is no error: it is in lacks.
 */
int bpfmap_load(const struct bpfmap_load *load, struct bpfmap_loaded *ret_loaded,
	char why[BPFMAP_WHY]) must_check;

/*
 * Detaches the programs (also when somebody else holds a link open) and
 * removes the pins that are there; *ret_n says how many. 0 or -errno, with why.
 */
int bpfmap_unload(const char *dir, unsigned *ret_n, char why[BPFMAP_WHY]) must_check;

#endif
