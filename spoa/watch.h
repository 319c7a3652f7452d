/*
 * Keeps an eye on the pinned maps: opens them at start, notices when the pins
 * go or are made anew, and opens them again.
 */
#ifndef SPOA_WATCH_H
#define SPOA_WATCH_H

#include "spoa/snapshot.h"

#include <sys/types.h>

struct spoa_watch {
	int mode;       /* enum conf_bpf_mode */
	char dir[1025]; /* the longest that conf allows */
	enum spoa_enforcement enforcement;
	struct spoa_maps *maps;
	dev_t dev; /* of the pin that is open: another one at the same path is another map */
	ino_t ino;
	char why[1025 + BPFMAP_WHY]; /* why it is not enforced or lost; empty while it is */
};

/* Opens the maps as the mode asks. 0; or, when the mode is required, -errno with why. */
int spoa_watch_init(struct spoa_watch *watch, int mode, const char *dir) must_check;

/* Looks again. true: something that a snapshot would show is different now. */
bool spoa_watch_look(struct spoa_watch *watch) must_check;

void spoa_watch_done(struct spoa_watch *watch);

#endif
