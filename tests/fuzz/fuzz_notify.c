/* NOTIFY: what was read is written, read back the same, and written to the same bytes. */
#include "tests/fuzz/fuzz.h"

#include "base/mem.h"
#include "spop/notify.h"

#include <errno.h>
#include <string.h>

#define MAX_INPUT 8192

/*
 * Writing may lengthen (an INT32 in its 32-bit form grows by 5 bytes) but is
 * at most four times as long.
 */
#define MAX_OUTPUT (4 * MAX_INPUT)

/* Whether a span lies inside the input: a borrowed one must. */
static void check_inside(struct span s, struct span in)
{
	FUZZ_CHECK(s.n == 0 || (s.p >= in.p && s.n <= in.n && s.p + s.n <= in.p + in.n));
}

static int copy_args(struct rd *r, struct spop_message *msg, struct span in, struct wr *w)
{
	struct spop_arg arg;
	int rc;

	while ((rc = spop_arg_next(r, msg, &arg)) > 0) {
		check_inside(arg.name, in);
		if (arg.value.type == SPOP_STR || arg.value.type == SPOP_BIN)
			check_inside(arg.value.text, in);
		spop_arg_encode(w, arg.name, &arg.value);
	}
	FUZZ_CHECK(rc < 0 || msg->n_read == msg->n_args);
	return rc;
}

/* Reads the payload and writes what it read. */
static int copy(struct span in, struct wr *w)
{
	struct rd r = rd_span(in);
	struct spop_message msg;
	int rc;

	while ((rc = spop_message_next(&r, &msg)) > 0) {
		check_inside(msg.name, in);
		spop_message_encode(w, msg.name, msg.n_args);
		rc = copy_args(&r, &msg, in, w);
		if (rc < 0)
			break;
	}
	FUZZ_CHECK(rc == 0 || (rc == -EBADMSG && r.bad));
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t first[MAX_OUTPUT], second[MAX_OUTPUT];
	struct wr a = wr_of(first, sizeof(first));
	struct wr b = wr_of(second, sizeof(second));

	if (size > MAX_INPUT || copy((struct span){(const char *)data, size}, &a))
		return 0;
	FUZZ_CHECK(!a.bad);
	FUZZ_CHECK(copy((struct span){(const char *)first, wr_len(&a)}, &b) == 0);
	FUZZ_CHECK(!b.bad && wr_len(&a) == wr_len(&b));
	FUZZ_CHECK(memcmp(first, second, wr_len(&a)) == 0);
	return 0;
}
