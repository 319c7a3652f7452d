/* HELLO and DISCONNECT, both sides: what was read is written and read back the same. */
#include "tests/fuzz/fuzz.h"

#include "base/mem.h"
#include "spop/disconnect.h"
#include "spop/frame.h"
#include "spop/hello.h"

#include <string.h>

#define MAX_INPUT 4096

static uint8_t out[MAX_INPUT + 256];

static struct span written(const struct wr *w)
{
	FUZZ_CHECK(!w->bad);
	return (struct span){.p = (const char *)w->start, .n = wr_len(w)};
}

static void haproxy(struct span in)
{
	struct wr w = wr_of(out, sizeof(out));
	struct spop_hello a;
	struct spop_hello b;

	if (spop_hello_parse(in, &a) != SPOP_STATUS_NORMAL)
		return;
	FUZZ_CHECK(a.max_frame_size >= SPOP_FRAME_SIZE_MIN);
	FUZZ_CHECK(!a.engine_id.n || !memchr(a.engine_id.p, '\0', a.engine_id.n));
	spop_hello_encode_haproxy(&w, &a);
	FUZZ_CHECK(spop_hello_parse(written(&w), &b) == SPOP_STATUS_NORMAL);
	FUZZ_CHECK(a.max_frame_size == b.max_frame_size && a.healthcheck == b.healthcheck);
	FUZZ_CHECK(a.pipelining == b.pipelining && a.async == b.async);
	FUZZ_CHECK(a.fragmentation == b.fragmentation);
	FUZZ_CHECK(span_eq(a.engine_id, b.engine_id));
}

static void agent(struct span in)
{
	struct wr w = wr_of(out, sizeof(out));
	struct spop_agent_hello a;
	struct spop_agent_hello b;

	if (spop_hello_parse_agent(in, &a) != SPOP_STATUS_NORMAL)
		return;
	FUZZ_CHECK(a.max_frame_size >= SPOP_FRAME_SIZE_MIN);
	spop_hello_encode_agent(&w, &a);
	FUZZ_CHECK(spop_hello_parse_agent(written(&w), &b) == SPOP_STATUS_NORMAL);
	FUZZ_CHECK(a.max_frame_size == b.max_frame_size && a.pipelining == b.pipelining);
	FUZZ_CHECK(a.fragmentation == b.fragmentation);
}

static void disconnect(struct span in)
{
	struct wr w = wr_of(out, sizeof(out));
	struct spop_disconnect a;
	struct spop_disconnect b;

	if (spop_disconnect_parse(in, &a))
		return;
	spop_disconnect_encode(&w, a.status);
	FUZZ_CHECK(spop_disconnect_parse(written(&w), &b) == 0);
	FUZZ_CHECK(b.status == a.status || b.status == SPOP_STATUS_UNKNOWN);
	FUZZ_CHECK(span_is(b.message, spop_status_text(a.status)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = {.p = (const char *)data, .n = size};

	if (size > MAX_INPUT)
		return 0;
	haproxy(in);
	agent(in);
	disconnect(in);
	return 0;
}
