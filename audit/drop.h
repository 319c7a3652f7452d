/* What the kernel's programs stop, in the words and numbers of Cilium's drop reasons. */
#ifndef AUDIT_DROP_H
#define AUDIT_DROP_H

#include "base/span.h"

struct audit_drop {
	const char *word;   /* ours: a cause of bpfmap/events.h, or a reason */
	unsigned number;    /* flow.proto DropReason, pkg/monitor/api of Cilium */
	const char *reason; /* its name in flow.proto */
};

/* Never NULL: what has no reason of its own was denied. */
const struct audit_drop *audit_drop_find(struct span word);

#endif
