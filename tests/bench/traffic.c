#include "tests/bench/traffic.h"

#include "spop/ack.h"
#include "spop/frame.h"
#include "spop/notify.h"
#include "tests/bench/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDS_AT   9 /* length, type, flags */
#define ID_BYTES 3

#define TEXT(literal)                                                                              \
	{                                                                                          \
		.type = SPOP_STR, .text = { literal, sizeof(literal) - 1 }                         \
	}

/* What HAProxy says by examples/spoe-identity.cfg, in its order. */
static const struct {
	const char *name;
	struct spop_data value;
} ARGUMENTS[] = {
	{"scheme", TEXT("Bearer")},
	{"token", {.type = SPOP_NULL}}, /* each has its own */
	{"src", {.type = SPOP_IPV4, .ip = {192, 0, 2, 1}}},
	{"sport", {.type = SPOP_INT64, .sint = 40000}},
	{"dst", {.type = SPOP_IPV4, .ip = {192, 0, 2, 2}}},
	{"dport", {.type = SPOP_INT64, .sint = 443}},
	{"client", {.type = SPOP_IPV4, .ip = {192, 0, 2, 1}}},
	{"proxied", {.type = SPOP_BOOL}},
	{"method", TEXT("GET")},
	{"host", TEXT("api.example.com")},
	{"path", TEXT("/v1/orders/12345")},
	{"query", TEXT("page=2")},
	{"proto", TEXT("1.1")},
	{"https", {.type = SPOP_BOOL, .boolean = true}},
	{"service", TEXT("be_reader")},
	{"tunnel", {.type = SPOP_BOOL}},
	{"reqid", TEXT("5a2f1d4c-7b63-4f0e-9a51-2c8d3e4f5a6b")},
	/* In the year 2100, for traffic that is never late: that stage looks at it all the same. */
	{"sent", {.type = SPOP_INT64, .sint = INT64_C(4102444800000000)}},
	{"traceparent", {.type = SPOP_NULL}},
	{"cert", {.type = SPOP_NULL}},
	{"cert_verify", {.type = SPOP_INT64}},
	{"cert_chain", {.type = SPOP_NULL}},
	{"dpop", {.type = SPOP_NULL}},
};

static void notify(struct wr *w, struct span token, struct span pad)
{
	const struct spop_data with[] = {
		{.type = SPOP_STR, .text = token}, {.type = SPOP_STR, .text = pad}};
	struct spop_frame_mark mark =
		spop_frame_begin(w, SPOP_NOTIFY, SPOP_FIN, BENCH_ID_MIN, BENCH_ID_MIN);

	spop_message_encode(w, SPAN("identify"), (uint8_t)(ARRAY_SIZE(ARGUMENTS) + (pad.n > 0)));
	for (size_t i = 0; i < ARRAY_SIZE(ARGUMENTS); i++)
		spop_arg_encode(w, span_of(ARGUMENTS[i].name),
			strcmp(ARGUMENTS[i].name, "token") ? &ARGUMENTS[i].value : &with[0]);
	if (pad.n)
		spop_arg_encode(w, SPAN("pad"), &with[1]);
	if (spop_frame_end(w, mark, SPOP_FRAME_SIZE_DEFAULT))
		bench_die("a token is too long for a frame");
}

void bench_traffic_add(struct bench_traffic *traffic, struct span token, struct span pad)
{
	size_t used = traffic->n ? traffic->starts[traffic->n] : 0;
	size_t room = 2 * SPOP_FRAME_SIZE_DEFAULT;
	struct wr w;

	if (used + room > traffic->room) {
		traffic->room = 2 * traffic->room + room;
		traffic->bytes = realloc(traffic->bytes, traffic->room);
	}
	traffic->starts = realloc(traffic->starts, (traffic->n + 2) * sizeof(size_t));
	if (!traffic->bytes || !traffic->starts)
		bench_die("out of memory");
	w = wr_of(traffic->bytes + used, room);
	notify(&w, token, pad);
	traffic->starts[traffic->n++] = used;
	traffic->starts[traffic->n] = used + wr_len(&w);
	if (wr_len(&w) > traffic->longest)
		traffic->longest = wr_len(&w);
}

struct span bench_traffic_payload(const struct bench_traffic *traffic, size_t i)
{
	size_t at = traffic->starts[i] + IDS_AT + 2 * ID_BYTES;

	return (struct span){(const char *)traffic->bytes + at, traffic->starts[i + 1] - at};
}

void bench_traffic_load(struct bench_traffic *traffic, const char *path, size_t pad)
{
	FILE *f = fopen(path, "re");
	char *zeros = calloc(1, pad + 1);
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	*traffic = (struct bench_traffic){0};
	if (!f)
		bench_die("cannot read %s", path);
	if (!zeros)
		bench_die("out of memory");
	while ((n = getline(&line, &room, f)) > 0) {
		if (line[n - 1] == '\n')
			n--;
		bench_traffic_add(
			traffic, (struct span){line, (size_t)n}, (struct span){zeros, pad});
	}
	free(line);
	free(zeros);
	fclose(f);
	if (!traffic->n)
		bench_die("no token in %s", path);
}

void bench_traffic_done(struct bench_traffic *traffic)
{
	free(traffic->bytes);
	free(traffic->starts);
	*traffic = (struct bench_traffic){0};
}

size_t bench_traffic_copy(const struct bench_traffic *traffic, size_t i, uint32_t stream_id,
	uint32_t frame_id, unsigned char *to)
{
	size_t n = traffic->starts[i + 1] - traffic->starts[i];
	struct wr ids = wr_of(to + IDS_AT, 2 * ID_BYTES);

	memcpy(to, traffic->bytes + traffic->starts[i], n);
	spop_varint_encode(&ids, stream_id);
	spop_varint_encode(&ids, frame_id);
	return n;
}

bool bench_ack_says(struct span payload, const char *verdict)
{
	unsigned char bytes[64];
	struct wr w = wr_of(bytes, sizeof(bytes));
	struct spop_data value = {.type = SPOP_STR, .text = span_of(verdict)};

	spop_ack_set(&w, SPOP_SCOPE_TXN, SPAN("verdict"), &value);
	return payload.n >= wr_len(&w) &&
	       !memcmp(payload.p + payload.n - wr_len(&w), bytes, wr_len(&w));
}

int bench_ack_count(struct span payload)
{
	struct rd r = rd_span(payload);
	struct spop_action action;
	int n = 0;
	int rc;

	while ((rc = spop_action_next(&r, &action)) > 0)
		n++;
	return rc ? -1 : n;
}
