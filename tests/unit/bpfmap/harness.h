/* What the harness is asked; kernel and user space. */
#ifndef TESTS_HARNESS_H
#define TESTS_HARNESS_H

#include "bpfmap/abi.h"

enum harness_what {
	HARNESS_CONNECT,
	HARNESS_MARKED,
	HARNESS_CLIENT,
	HARNESS_ADDRESS4, /* as connect4 and sendmsg4 read it: addr is what the caller gave */
	HARNESS_ADDRESS6, /* as connect6 and sendmsg6 */
};

#define HARNESS_BROKEN 99

struct harness_case {
	struct bpfmap_flow_key flow;
	__u64 cookie;
	__u32 mark;
	__u8 what;
	__u8 family;
	__u8 protocol;
	__u8 pad;
	__u8 port[2]; /* network order */
	__u8 pad2[6];
	__u8 addr[16];
};

#endif
