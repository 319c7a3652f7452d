/*
 * Lets the agent's group read Cilium's ipcache. Cilium pins it for root alone
 * (0600, below folders of 0700), and pins a new one at each start of its agent.
 */
#ifndef SETUP_IPCACHE_H
#define SETUP_IPCACHE_H

#include "base/mem.h"
#include "setup/setup.h"

#include <stdio.h>

/*
 * The pins of the ipcache in dir become root:group 0640, as far as they are
 * there and have one of Cilium's layouts; folders of the bpffs on the way may be
 * passed through, not listed. May be repeated: what is right is not touched.
 * One line for each change to out (NULL: none). 0, also without a pin; or
 * -errno with why.
 */
int setup_ipcache_grant(
	const char *dir, const char *group, FILE *out, char why[SETUP_WHY]) must_check;

#endif
