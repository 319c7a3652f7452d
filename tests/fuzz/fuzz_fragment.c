/*
 * Payloads in fragments. A stream of any frames: what comes together does not
 * depend on how the bytes are cut, never mixes payloads and never has more
 * bytes than came. And any payload, cut into any fragments and these into any
 * reads, comes out as it went in. The first 4 bytes choose the cuts.
 */
#include "tests/fuzz/fuzz.h"

#include "base/mem.h"
#include "spop/fragment.h"

#include <string.h>

#define MAX_FRAME 1024
#define MAX_INPUT 8192

/* Each fragment has a header of at most 25 bytes, and there is one for each byte at worst. */
#define MAX_STREAM (32 * MAX_INPUT)

struct outcome {
	struct spop_fragments fragments;
	uint8_t done[MAX_STREAM]; /* the payloads that are complete, one behind the other */
	size_t n_done;
	uint8_t open[MAX_STREAM];
	size_t n_open;
	unsigned complete, cancelled;
	int rc;
	enum spop_status status;
};

static void add(uint8_t *to, size_t *n, struct span more)
{
	FUZZ_CHECK(more.n <= MAX_STREAM - *n);
	if (more.n)
		memcpy(to + *n, more.p, more.n);
	*n += more.n;
}

static void complete(struct outcome *o, struct span payload)
{
	add(o->done, &o->n_done, payload);
	o->complete++;
}

static void on_part(struct outcome *o, const struct spop_frame *f, enum spop_part part)
{
	FUZZ_CHECK(o->fragments.open == (part == SPOP_FIRST || part == SPOP_MIDDLE) ||
		   part == SPOP_WHOLE);
	if (part == SPOP_WHOLE) {
		complete(o, f->payload);
		return;
	}
	if (part == SPOP_FIRST)
		o->n_open = 0;
	add(o->open, &o->n_open, f->payload);
	if (part == SPOP_LAST)
		complete(o, (struct span){(const char *)o->open, o->n_open});
	if (part == SPOP_CANCEL)
		o->cancelled++;
}

static void check_refusal(
	const struct spop_fragments *before, const struct outcome *o, const struct spop_frame *f)
{
	FUZZ_CHECK(!memcmp(before, &o->fragments, sizeof(*before)));
	FUZZ_CHECK(o->status != SPOP_STATUS_INTERLACED || before->open);
	FUZZ_CHECK(o->status != SPOP_STATUS_NO_FRAME_ID || !before->open);
	FUZZ_CHECK(o->status != SPOP_STATUS_FRAGMENTED || !(f->flags & SPOP_FIN));
}

/* Reads what is there; how many bytes were taken. */
static size_t drain(struct outcome *o, const uint8_t *p, size_t n)
{
	uint8_t *piece cleanup(free) = fuzz_copy(p, n);
	struct rd r = rd_of(piece, n);
	struct spop_frame f;

	while ((o->rc = spop_frame_next(&r, MAX_FRAME, &f)) > 0) {
		struct spop_fragments before = o->fragments;
		enum spop_part part = SPOP_PARTS;

		o->status = spop_fragments_next(&o->fragments, &f, &part);
		if (o->status != SPOP_STATUS_NORMAL) {
			check_refusal(&before, o, &f);
			break;
		}
		on_part(o, &f, part);
	}
	return (size_t)(r.p - piece);
}

static void feed(struct outcome *o, const uint8_t *p, size_t n, uint32_t seed, size_t longest)
{
	size_t taken = 0, there = 0;

	memset(&o->fragments, 0, sizeof(o->fragments));
	o->n_done = o->n_open = 0;
	o->complete = o->cancelled = 0;
	o->status = SPOP_STATUS_NORMAL;
	do {
		size_t piece = 1 + seed % longest;

		seed = seed * 1664525 + 1013904223;
		there += piece < n - there ? piece : n - there;
		taken += drain(o, p + taken, there - taken);
	} while (there < n && o->rc == 0 && o->status == SPOP_STATUS_NORMAL);
	FUZZ_CHECK(o->n_done + o->n_open <= 2 * n);
}

static void same(const struct outcome *a, const struct outcome *b)
{
	FUZZ_CHECK(a->status == b->status && a->complete == b->complete);
	FUZZ_CHECK(a->cancelled == b->cancelled && a->n_done == b->n_done);
	FUZZ_CHECK(!memcmp(a->done, b->done, a->n_done));
	FUZZ_CHECK(a->fragments.open == b->fragments.open);
}

/* The payload as NOTIFY and UNSET frames of 0 to 60 bytes, at most one empty one in a row. */
static size_t fragment(uint8_t *to, const uint8_t *p, size_t n, uint32_t seed)
{
	struct wr w = wr_of(to, MAX_STREAM);
	size_t at = 0;

	for (unsigned i = 0; i == 0 || at < n; i++) {
		size_t piece = (seed >> 16) % 60 + i % 2;
		struct spop_frame_mark mark;

		seed = seed * 1664525 + 1013904223;
		if (piece > n - at)
			piece = n - at;
		mark = spop_frame_begin(&w, i ? SPOP_UNSET : SPOP_NOTIFY,
			at + piece == n ? SPOP_FIN : 0, n, UINT64_MAX);
		wr_bytes(&w, p + at, piece);
		FUZZ_CHECK(spop_frame_end(&w, mark, MAX_FRAME) == 0);
		at += piece;
	}
	return wr_len(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct outcome whole, pieces;
	static uint8_t stream[MAX_STREAM];
	uint32_t seed;
	size_t n;

	if (size < sizeof(seed) || size > MAX_INPUT)
		return 0;
	memcpy(&seed, data, sizeof(seed));
	data += sizeof(seed);
	size -= sizeof(seed);
	feed(&whole, data, size, 1, size + 1);
	feed(&pieces, data, size, seed, size > 2048 ? 512 : 64);
	same(&whole, &pieces);

	n = fragment(stream, data, size, seed);
	feed(&pieces, stream, n, seed, size > 2048 ? 4096 : 128);
	FUZZ_CHECK(pieces.status == SPOP_STATUS_NORMAL && pieces.complete == 1);
	FUZZ_CHECK(!pieces.fragments.open && pieces.n_done == size);
	FUZZ_CHECK(!memcmp(pieces.done, data, size));
	return 0;
}
