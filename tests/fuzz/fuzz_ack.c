/* ACK: what was read is written, read back the same, and written to the same bytes. */
#include "tests/fuzz/fuzz.h"

#include "base/mem.h"
#include "spop/ack.h"

#include <errno.h>
#include <string.h>

#define MAX_INPUT  8192
#define MAX_OUTPUT (4 * MAX_INPUT) /* an INT32 in its 32-bit form grows by 5 bytes */

/* Reads the payload and writes what it read. */
static int copy(struct span in, struct wr *w)
{
	struct rd r = rd_span(in);
	struct spop_action a;
	int rc;

	while ((rc = spop_action_next(&r, &a)) > 0) {
		FUZZ_CHECK(a.scope <= SPOP_SCOPE_RES);
		FUZZ_CHECK(a.name.n <= in.n);
		FUZZ_CHECK(a.set || a.value.type == SPOP_NULL);
		if (a.set)
			spop_ack_set(w, a.scope, a.name, &a.value);
		else
			spop_ack_unset(w, a.scope, a.name);
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
