/*
 * A real etcd, and agents that talk to it through the real net thread, all
 * driven by one loop. Between an agent and the net thread stands a port that
 * can lose answers, or keep them for a while: etcd has done what was asked then,
 * and the agent does not know.
 */
#ifndef TESTS_UNIT_ETCD_LIVE_H
#define TESTS_UNIT_ETCD_LIVE_H

#include "etcd/numbers.h"

#include <stdbool.h>

struct live_agent {
	struct etcd_client *client;
	struct etcd_numbers *numbers; /* NULL: a bare client */
	char node[32];
	struct net_answer *held; /* answers that come late, the oldest first */
	unsigned n_answers;
	unsigned lose_each;  /* each so-manieth answer that is no line is lost; 0: none */
	unsigned delay_each; /* ... comes after the next ten */
	bool deaf;           /* all are lost, and nothing is sent: a cut network */
	bool frozen;         /* nothing happens at all: SIGSTOP */
	unsigned n_changed;
	struct ident_number last; /* what changed told last */
};

/* Starts etcd (from PATH) in a new folder; fails the test when it cannot. For all tests of a suite. */
void live_start(void);
/* Stops it and removes its folder. */
void live_stop(void);
/* Before and after each test: an empty etcd, no agents, live_options as they should be. */
void live_begin(void);
void live_end(void);
/* kill -9, and a new one with the same data and port. */
void live_kill(void);
void live_again(void);
/* SIGSTOP and SIGCONT. */
void live_freeze(bool on);

extern struct etcd_numbers_options live_options; /* what agents are made with; set by live_start */

struct live_agent *live_agent_new(const char *node);
/* goodbye: gives its leases back first; else as kill -9. */
void live_agent_free(struct live_agent *agent, bool goodbye);

/* One turn: waits a moment for answers, hands them out, ticks everybody. */
void live_turn(void);
/* Turns until it holds; fails the test after half a minute. */
#define LIVE_UNTIL(condition)                                                                      \
	do {                                                                                       \
		int turns_ = 0;                                                                    \
		while (!(condition)) {                                                             \
			ck_assert_msg(++turns_ < 15000, "%s", "never: " #condition);               \
			live_turn();                                                               \
		}                                                                                  \
	} while (0)
/* Turns for so long. */
void live_pass(unsigned ms);

/* Straight to etcd, and waits: the value of a key (until the next call), NULL: it is not there. */
const char *live_get(const char *key);
/* How many keys begin so. */
size_t live_count(const char *prefix);
/* Puts, value NULL: deletes. */
void live_put(const char *key, const char *value);
/* All history goes. */
void live_compact(void);
/* Calls visit for each key below a prefix. */
void live_each(const char *prefix, void (*visit)(void *arg, const struct etcd_kv *kv), void *arg);

const char *live_endpoint(void);

#endif
