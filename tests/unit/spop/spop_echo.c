/*
 * What spop/ makes of given bytes, for tests/e2e/spop_differential.py: reads
 * lines "KIND HEX" and answers each with one line of JSON. "again" is what our
 * encoder writes for the values that our parser read.
 */
#include "base/mem.h"
#include "spop/ack.h"
#include "spop/disconnect.h"
#include "spop/fragment.h"
#include "spop/frame.h"
#include "spop/hello.h"
#include "spop/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FRAME SPOP_FRAME_SIZE_DEFAULT

static uint8_t again[256 * 1024];

static void print_hex(struct span s)
{
	putchar('"');
	for (size_t i = 0; i < s.n; i++)
		printf("%02x", (unsigned char)s.p[i]);
	putchar('"');
}

static const char *yes_no(bool v)
{
	return v ? "true" : "false";
}

static void print_again(const struct wr *w)
{
	printf(",\"again\":");
	print_hex(w->bad ? SPAN("bad") : (struct span){(char *)w->start, wr_len(w)});
}

static void print_value(const struct spop_data *v)
{
	printf("[%d", v->type);
	switch (v->type) {
	case SPOP_NULL:
		break;
	case SPOP_BOOL:
		printf(",%s", yes_no(v->boolean));
		break;
	case SPOP_INT32:
	case SPOP_INT64:
		printf(",%" PRId64, v->sint);
		break;
	case SPOP_UINT32:
	case SPOP_UINT64:
		printf(",%" PRIu64, v->uint);
		break;
	case SPOP_IPV4:
	case SPOP_IPV6:
		putchar(',');
		print_hex((struct span){(const char *)v->ip, v->type == SPOP_IPV4 ? 4 : 16});
		break;
	case SPOP_STR:
	case SPOP_BIN:
		putchar(',');
		print_hex(v->text);
		break;
	}
	putchar(']');
}

static void echo_frame(struct span in)
{
	struct rd r = rd_span(in);
	struct wr w = wr_of(again, sizeof(again));
	struct spop_frame f;
	const char *comma = "";
	int rc;

	printf("{\"frames\":[");
	while ((rc = spop_frame_next(&r, MAX_FRAME, &f)) > 0) {
		struct spop_frame_mark mark =
			spop_frame_begin(&w, f.type, f.flags, f.stream_id, f.frame_id);

		wr_bytes(&w, f.payload.p, f.payload.n);
		w.bad = spop_frame_end(&w, mark, MAX_FRAME) != 0;
		printf("%s[%u,%" PRIu32 ",%" PRIu64 ",%" PRIu64 ",", comma, f.type, f.flags,
			f.stream_id, f.frame_id);
		print_hex(f.payload);
		printf("]");
		comma = ",";
	}
	printf("],\"end\":\"%s\",\"left\":%zu",
		!rc               ? "more"
		: rc == -EMSGSIZE ? "big"
				  : "bad",
		rd_left(&r));
	print_again(&w);
}

/* A NOTIFY that is being put together. */
struct message {
	uint8_t bytes[256 * 1024];
	size_t n;
};

static void message_add(struct message *m, struct span more)
{
	if (more.n > sizeof(m->bytes) - m->n)
		abort(); /* no input is that long */
	if (more.n)
		memcpy(m->bytes + m->n, more.p, more.n);
	m->n += more.n;
}

/* The payloads of a stream of frames, fragments put together, up to what is wrong with it. */
static void echo_stream(struct span in)
{
	static struct message m;
	struct spop_fragments fragments = {0};
	enum spop_status status = SPOP_STATUS_NORMAL;
	struct rd r = rd_span(in);
	const char *comma = "";
	struct spop_frame f;
	enum spop_part part;
	int rc;

	printf("{\"payloads\":[");
	while ((rc = spop_frame_next(&r, MAX_FRAME, &f)) > 0) {
		status = spop_fragments_next(&fragments, &f, &part);
		if (status != SPOP_STATUS_NORMAL)
			break;
		if (part == SPOP_FIRST)
			m.n = 0;
		if (part != SPOP_WHOLE)
			message_add(&m, f.payload);
		if (part != SPOP_WHOLE && part != SPOP_LAST)
			continue;
		printf("%s[%u,%" PRIu64 ",%" PRIu64 ",", comma,
			part == SPOP_LAST ? SPOP_NOTIFY : f.type, f.stream_id, f.frame_id);
		print_hex(
			part == SPOP_WHOLE ? f.payload : (struct span){(const char *)m.bytes, m.n});
		printf("]");
		comma = ",";
	}
	if (rc < 0)
		status = rc == -EMSGSIZE ? SPOP_STATUS_TOO_BIG : SPOP_STATUS_INVALID;
	printf("],\"status\":%d,\"open\":%s", status, yes_no(fragments.open));
}

static void echo_hello(struct span in)
{
	struct wr w = wr_of(again, sizeof(again));
	struct spop_hello h;
	enum spop_status status = spop_hello_parse(in, &h);

	printf("{\"status\":%d", status);
	if (status != SPOP_STATUS_NORMAL)
		return;
	printf(",\"max\":%" PRIu32 ",\"capabilities\":[%s,%s,%s],\"healthcheck\":%s,\"engine_id\":",
		h.max_frame_size, yes_no(h.pipelining), yes_no(h.async), yes_no(h.fragmentation),
		yes_no(h.healthcheck));
	print_hex(h.engine_id);
	spop_hello_encode_haproxy(&w, &h);
	print_again(&w);
}

static void echo_agent(struct span in)
{
	struct wr w = wr_of(again, sizeof(again));
	struct spop_agent_hello h;
	enum spop_status status = spop_hello_parse_agent(in, &h);

	printf("{\"status\":%d", status);
	if (status != SPOP_STATUS_NORMAL)
		return;
	printf(",\"max\":%" PRIu32 ",\"capabilities\":[%s,%s]", h.max_frame_size,
		yes_no(h.pipelining), yes_no(h.fragmentation));
	spop_hello_encode_agent(&w, &h);
	print_again(&w);
}

static void echo_disconnect(struct span in)
{
	struct spop_disconnect d;

	if (spop_disconnect_parse(in, &d)) {
		printf("{\"end\":\"bad\"");
		return;
	}
	printf("{\"status\":%" PRIu32 ",\"message\":", d.status);
	print_hex(d.message);
}

/* One message with its arguments; what spop_arg_next ended with. */
static int echo_message(struct rd *r, struct spop_message *msg, struct wr *w)
{
	struct spop_arg arg;
	const char *comma = "";
	int rc;

	spop_message_encode(w, msg->name, msg->n_args);
	putchar('[');
	print_hex(msg->name);
	printf(",[");
	while ((rc = spop_arg_next(r, msg, &arg)) > 0) {
		spop_arg_encode(w, arg.name, &arg.value);
		printf("%s[", comma);
		print_hex(arg.name);
		putchar(',');
		print_value(&arg.value);
		putchar(']');
		comma = ",";
	}
	printf("]]");
	return rc;
}

static void echo_notify(struct span in)
{
	struct rd r = rd_span(in);
	struct wr w = wr_of(again, sizeof(again));
	struct spop_message msg;
	const char *comma = "";
	int rc;

	printf("{\"messages\":[");
	while ((rc = spop_message_next(&r, &msg)) > 0) {
		printf("%s", comma);
		comma = ",";
		rc = echo_message(&r, &msg, &w);
		if (rc)
			break;
	}
	printf("],\"end\":\"%s\"", rc ? "bad" : "ok");
	if (!rc)
		print_again(&w);
}

static void echo_ack(struct span in)
{
	struct rd r = rd_span(in);
	struct wr w = wr_of(again, sizeof(again));
	struct spop_action a;
	const char *comma = "";
	int rc;

	printf("{\"actions\":[");
	while ((rc = spop_action_next(&r, &a)) > 0) {
		if (a.set)
			spop_ack_set(&w, a.scope, a.name, &a.value);
		else
			spop_ack_unset(&w, a.scope, a.name);
		printf("%s[%s,%d,", comma, yes_no(a.set), a.scope);
		print_hex(a.name);
		putchar(',');
		print_value(&a.value);
		putchar(']');
		comma = ",";
	}
	printf("],\"end\":\"%s\"", rc ? "bad" : "ok");
	if (!rc)
		print_again(&w);
}

static const struct {
	const char *name;
	void (*echo)(struct span in);
} kinds[] = {
	{"frame", echo_frame},
	{"stream", echo_stream},
	{"hello", echo_hello},
	{"agent", echo_agent},
	{"disconnect", echo_disconnect},
	{"notify", echo_notify},
	{"ack", echo_ack},
};

static int echo(const char *kind, const char *hex)
{
	size_t n = strlen(hex) / 2;
	/* Exactly as large as the input, so that a sanitizer sees a read one past it. */
	uint8_t *bytes cleanup(free) = malloc(n ? n : 1);

	for (size_t i = 0; bytes && i < n; i++) {
		if (sscanf(hex + 2 * i, "%2hhx", &bytes[i]) != 1)
			return -1;
	}
	for (size_t i = 0; bytes && i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(kind, kinds[i].name))
			continue;
		kinds[i].echo((struct span){(const char *)bytes, n});
		printf("}\n");
		return 0;
	}
	return -1;
}

int main(void)
{
	char *line cleanup(free) = NULL;
	size_t size = 0;
	ssize_t n;

	while ((n = getline(&line, &size, stdin)) > 0) {
		char *hex = strchr(line, ' ');

		line[n - 1] = '\0';
		if (!hex)
			return 2;
		*hex++ = '\0';
		if (echo(line, hex)) {
			fprintf(stderr, "cannot read: %s\n", line);
			return 2;
		}
	}
	return 0;
}
