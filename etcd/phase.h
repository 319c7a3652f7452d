/*
 * The order of things with a shared number: publish, wait until others can know
 * it, then let it be marked; on withdrawal the reverse (cilium.md 9.6). One
 * table and one mover; what each phase does is entry.c's.
 *
 *	ABSENT ─want─► ASKING ─confirm─► PUBLISHED ─settled─► REALISED
 *	                 ▲  ▲  ◄─replace──┐   │ ▲                │
 *	                 │  │             │  doubt            doubt
 *	                 │  └──────────── DOUBTED ◄──────────────┘
 *	                 │                  └─confirm─► PUBLISHED
 *	all ─unwant─► UNMARKING ─settled─► RELEASING ─released─► ABSENT
 *	              (want: ASKING)       (want: ASKING)
 *
 * Only REALISED may be marked. From UNMARKING on no new request is marked, and
 * it is still published until those under way are through.
 */
#ifndef ETCD_PHASE_H
#define ETCD_PHASE_H

#include <stdbool.h>

enum etcd_phase {
	ETCD_ABSENT,    /* nobody wants it, and nothing of ours says that we use it */
	ETCD_ASKING,    /* wanted; etcd has not confirmed a number */
	ETCD_PUBLISHED, /* confirmed, with our use of it; others may not know it yet */
	ETCD_REALISED,  /* and it was so for long enough */
	ETCD_DOUBTED,   /* was confirmed; we can not be sure that it still is */
	ETCD_UNMARKING, /* not wanted any more; requests under way may still be marked */
	ETCD_RELEASING, /* our use of it is being taken back */
};
#define ETCD_PHASES (ETCD_RELEASING + 1)

enum etcd_event {
	ETCD_WANT,
	ETCD_UNWANT,
	ETCD_CONFIRM,  /* etcd: the number has these labels, and our use is noted under our lease */
	ETCD_SETTLED,  /* the phase has lasted long enough */
	ETCD_DOUBT,    /* our lease has ended, or the number's key is gone or another's */
	ETCD_REPLACE,  /* the number belongs to other labels, or these have another */
	ETCD_RELEASED, /* etcd: our use is gone */
};
#define ETCD_EVENTS (ETCD_RELEASED + 1)

/* The only way from one phase to another. Events that say nothing new leave it. */
enum etcd_phase etcd_phase_after(enum etcd_phase phase, enum etcd_event event);

/* Has the number been confirmed, so that it may be used at all? */
bool etcd_phase_has_number(enum etcd_phase phase);
/* May it become a mark now? */
bool etcd_phase_may_mark(enum etcd_phase phase);
/* Does it end by time alone? */
bool etcd_phase_settles(enum etcd_phase phase);

const char *etcd_phase_name(enum etcd_phase phase);

#endif
