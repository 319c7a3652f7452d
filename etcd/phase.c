#include "etcd/phase.h"

#include "base/mem.h"

/* One more than the phase that follows; 0: it stays. */
#define TO(phase) ((phase) + 1)

static const unsigned char AFTER[][ETCD_EVENTS] = {
	[ETCD_ABSENT] = {[ETCD_WANT] = TO(ETCD_ASKING)},
	/* A confirmation that was lost on the way may have been made: take it back, too. */
	[ETCD_ASKING] = {[ETCD_UNWANT] = TO(ETCD_UNMARKING), [ETCD_CONFIRM] = TO(ETCD_PUBLISHED)},
	[ETCD_PUBLISHED] = {[ETCD_UNWANT] = TO(ETCD_UNMARKING),
		[ETCD_SETTLED] = TO(ETCD_REALISED),
		[ETCD_DOUBT] = TO(ETCD_DOUBTED),
		[ETCD_REPLACE] = TO(ETCD_ASKING)},
	[ETCD_REALISED] = {[ETCD_UNWANT] = TO(ETCD_UNMARKING),
		[ETCD_DOUBT] = TO(ETCD_DOUBTED),
		[ETCD_REPLACE] = TO(ETCD_ASKING)},
	/* Others may have forgotten it meanwhile: wait again. */
	[ETCD_DOUBTED] = {[ETCD_UNWANT] = TO(ETCD_UNMARKING),
		[ETCD_CONFIRM] = TO(ETCD_PUBLISHED),
		[ETCD_REPLACE] = TO(ETCD_ASKING)},
	[ETCD_UNMARKING] = {[ETCD_WANT] = TO(ETCD_ASKING), [ETCD_SETTLED] = TO(ETCD_RELEASING)},
	[ETCD_RELEASING] = {[ETCD_WANT] = TO(ETCD_ASKING), [ETCD_RELEASED] = TO(ETCD_ABSENT)},
};
_Static_assert(ARRAY_SIZE(AFTER) == ETCD_PHASES, "a row for every phase");

static const struct {
	const char *name;
	bool has_number, may_mark, settles;
} PHASES[] = {
	[ETCD_ABSENT] = {"absent", false, false, false},
	[ETCD_ASKING] = {"asking", false, false, false},
	[ETCD_PUBLISHED] = {"published", true, false, true},
	[ETCD_REALISED] = {"realised", true, true, false},
	[ETCD_DOUBTED] = {"doubted", true, false, false},
	[ETCD_UNMARKING] = {"unmarking", true, false, true},
	[ETCD_RELEASING] = {"releasing", false, false, false},
};
_Static_assert(ARRAY_SIZE(PHASES) == ETCD_PHASES, "a row for every phase");

enum etcd_phase etcd_phase_after(enum etcd_phase phase, enum etcd_event event)
{
	unsigned char to = AFTER[phase][event];

	return to ? (enum etcd_phase)(to - 1) : phase;
}

bool etcd_phase_has_number(enum etcd_phase phase)
{
	return PHASES[phase].has_number;
}

bool etcd_phase_may_mark(enum etcd_phase phase)
{
	return PHASES[phase].may_mark;
}

bool etcd_phase_settles(enum etcd_phase phase)
{
	return PHASES[phase].settles;
}

const char *etcd_phase_name(enum etcd_phase phase)
{
	return PHASES[phase].name;
}
