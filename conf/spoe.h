/*
 * HAProxy's SPOE file against ours: what only both together can get wrong.
 * Source: HAProxy's SPOE.txt 2 and docs/DESIGN.md, SPOE contract.
 */
#ifndef CONF_SPOE_H
#define CONF_SPOE_H

#include "base/diag.h"
#include "base/mem.h"
#include "conf/conf.h"

/*
 * Looks at the spoe-agent that has the group `identify` (an agent of another
 * engine may stand beside it) and complains when
 *   timeout processing is missing (HAProxy would wait for ever) or not above
 *   spop.deadline (HAProxy would give up before the answer);
 *   continue-on-error or set-on-error is missing (the second try of
 *   haproxy.cfg would not be made);
 *   a variable's whole name could be longer than HAProxy's 63 bytes;
 *   no agent has the group, or the group is not exactly the message.
 * What else is in the file is HAProxy's to check. 0, or -EINVAL with diag.
 */
int conf_spoe_parse(const char *file, const char *text, size_t n, const struct conf *conf,
	struct base_diag *diag) must_check;

/* The same for a file. -EINVAL with diag too when it cannot be read; -ENOMEM. */
int conf_spoe_load(const char *path, const struct conf *conf, struct base_diag *diag) must_check;

#endif
