/*
 * A stream of frames: however it is cut into pieces, it means the same; and
 * what was read is written back byte for byte. The first 4 bytes choose the
 * cuts, the rest is the stream.
 */
#include "tests/fuzz/fuzz.h"

#include "base/mem.h"
#include "spop/frame.h"

#include <errno.h>
#include <string.h>

#define MAX_FRAME 1024
#define MAX_INPUT 8192

/* What came out: the frames, written again, and how it ended. */
struct outcome {
	uint8_t bytes[MAX_INPUT];
	struct wr w;
	unsigned frames;
	int rc;
};

static void write_frame(struct outcome *o, const struct spop_frame *f)
{
	struct spop_frame_mark mark =
		spop_frame_begin(&o->w, f->type, f->flags, f->stream_id, f->frame_id);

	wr_bytes(&o->w, f->payload.p, f->payload.n);
	FUZZ_CHECK(spop_frame_end(&o->w, mark, MAX_FRAME) == 0);
	o->frames++;
}

/* Reads what is there; how many bytes were taken. */
static size_t drain(struct outcome *o, const uint8_t *p, size_t n)
{
	uint8_t *piece cleanup(free) = fuzz_copy(p, n);
	struct rd r = rd_of(piece, n);
	struct spop_frame f;

	while ((o->rc = spop_frame_next(&r, MAX_FRAME, &f)) > 0) {
		FUZZ_CHECK(f.payload.n <= MAX_FRAME - SPOP_FRAME_SHORTEST);
		write_frame(o, &f);
	}
	FUZZ_CHECK(!r.bad);
	FUZZ_CHECK(o->rc == 0 || o->rc == -EBADMSG || o->rc == -EMSGSIZE);
	return (size_t)(r.p - piece);
}

/* Feeds the stream in pieces of 1 to longest bytes. */
static void feed(struct outcome *o, const uint8_t *p, size_t n, uint32_t seed, size_t longest)
{
	size_t taken = 0;
	size_t there = 0;

	o->w = wr_of(o->bytes, sizeof(o->bytes));
	do {
		size_t piece = 1 + seed % longest;

		seed = seed * 1664525 + 1013904223;
		there += piece < n - there ? piece : n - there;
		taken += drain(o, p + taken, there - taken);
	} while (there < n && o->rc == 0);
	FUZZ_CHECK(taken == wr_len(&o->w));
	FUZZ_CHECK(memcmp(o->bytes, p, taken) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct outcome whole, pieces;
	static const size_t longest[] = {1, 7, 64, 1500};
	uint32_t seed;

	if (size < sizeof(seed) || size > MAX_INPUT)
		return 0;
	memcpy(&seed, data, sizeof(seed));
	data += sizeof(seed);
	size -= sizeof(seed);
	whole.frames = 0;
	feed(&whole, data, size, (uint32_t)size, size + 1);
	/* Byte by byte costs a copy for each: only where that stays fast. */
	pieces.frames = 0;
	feed(&pieces, data, size, seed, size > 2048 ? 512 : longest[seed >> 30]);
	FUZZ_CHECK(whole.rc == pieces.rc);
	FUZZ_CHECK(whole.frames == pieces.frames);
	FUZZ_CHECK(wr_len(&whole.w) == wr_len(&pieces.w));
	return 0;
}
