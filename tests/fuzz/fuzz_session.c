/*
 * A whole conversation: any bytes, cut anywhere, into a session whose handler
 * reads, decides and answers as the daemon does. Every NOTIFY gets one ACK;
 * what comes out is frames and nothing else, never more than there is room for.
 *
 * Input: frame size (odd: fragments are welcome), where to cut, then the bytes.
 */
#include "tests/fuzz/fuzz.h"

#include "spoa/answer.h"
#include "spoa/session.h"
#include "spop/ack.h"

/* Public halves of keys made for another corpus; the private ones are gone. */
#include "tests/fuzz/jws_keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char CONFIG[] =
	"version: 1\n"
	"listen: [{unix: /run/x.sock}]\n"
	"bpf: {mode: off}\n"
	"providers:\n"
	"  - {name: a, issuer: 'https://i', audiences: [us], max_token_size: 16KiB,\n"
	"     algorithms: [RS256, PS256, ES256, ES384, ES512, EdDSA], types: [],\n"
	"     max_lifetime: 0}\n"
	"roles:\n"
	"  - {name: all, labels: [role=all], number: 200, route: be}\n"
	"exports: [email, sub]\n";

static struct spoa_snapshot *snapshot;
static struct spoa_state state;

static const struct base_now NOW = {
	.wall_ns = INT64_C(1800000000) * NS_PER_S,
	.mono_ns = 1000000,
	.boot_ns = 1000000,
};

static void start(void)
{
	struct spoa_config *config = NULL;
	struct conf *conf = NULL;
	struct base_diag diag;

	if (snapshot)
		return;
	base_diag_init(&diag, "fuzz");
	FUZZ_CHECK(!conf_parse("fuzz", CONFIG, sizeof(CONFIG) - 1, &conf, &diag));
	FUZZ_CHECK(!spoa_config_new(conf, NULL, &diag, &config));
	base_diag_done(&diag);
	snapshot = spoa_snapshot_new(config, SPOA_ENFORCEMENT_OFF, NULL);
	spoa_config_unref(config);
	FUZZ_CHECK(snapshot && !spoa_state_init(&state, 64 * 1024));
	FUZZ_CHECK(!token_keyset_parse(
		SPAN(JWS_KEYS), snapshot->issuers[0].rules.algs, &snapshot->issuers[0].keys, NULL));
	snapshot->ages[0] = (struct spoa_keys_age){
		.fetched_at = UINT64_MAX, .refresh_from = UINT64_MAX, .recheck_from = UINT64_MAX};
}

struct talk {
	struct spoa_session session;
	unsigned n_notifies, n_acks, n_owed;
	unsigned char message[65536]; /* fragments; as long as any input */
	size_t message_len;
};

/* As spoa/notify.c does it: the answer, else the error, else the short error. */
static void answer(struct talk *t, uint64_t stream_id, uint64_t frame_id,
	struct spoa_decision *decision, struct wr *out)
{
	uint32_t max = t->session.max_frame;

	if (spoa_answer(out, stream_id, frame_id, max, snapshot->config, decision)) {
		spoa_decision_fail(decision, BASE_REASON_ANSWER_TOO_LONG);
		if (spoa_answer(out, stream_id, frame_id, max, snapshot->config, decision))
			FUZZ_CHECK(!spoa_answer_short(out, stream_id, frame_id, max, decision));
	}
}

static enum spop_status on_notify(
	void *arg, struct spoa_session *session, const struct spop_frame *frame, struct wr *out)
{
	struct talk *t = arg;
	struct spoa_decision decision;
	struct spoa_need need;
	struct spoa_request request;
	int rc = spoa_request_parse(frame->payload, &request);

	FUZZ_CHECK(session == &t->session);
	if (rc == -EBADMSG)
		return SPOP_STATUS_INVALID;
	t->n_notifies++;
	if (frame->frame_id % 4 == 3) {
		session->waiting++;
		t->n_owed++;
		return SPOP_STATUS_NORMAL;
	}
	if (rc)
		decision = spoa_decision_of(BASE_REASON_REQUEST_MALFORMED);
	else
		FUZZ_CHECK(spoa_decide(snapshot, &state, &request, 1, &NOW, &need, &decision));
	FUZZ_CHECK(decision.reason != BASE_REASON_INTERNAL);
	answer(t, frame->stream_id, frame->frame_id, &decision, out);
	return SPOP_STATUS_NORMAL;
}

/* As spoa/fragment.c does it, without limits: the NOTIFY when its last fragment is there. */
static enum spop_status on_fragment(void *arg, struct spoa_session *session,
	const struct spop_frame *frame, enum spop_part part, struct wr *out)
{
	struct talk *t = arg;
	struct spop_frame whole = *frame;

	FUZZ_CHECK(session->fragmentation && part != SPOP_WHOLE);
	FUZZ_CHECK((part == SPOP_FIRST) == (frame->type == SPOP_NOTIFY));
	if (part == SPOP_FIRST)
		t->message_len = 0;
	FUZZ_CHECK(frame->payload.n <= sizeof(t->message) - t->message_len);
	if (frame->payload.n)
		memcpy(t->message + t->message_len, frame->payload.p, frame->payload.n);
	t->message_len += frame->payload.n;
	if (part != SPOP_LAST)
		return SPOP_STATUS_NORMAL;
	whole.payload = (struct span){.p = (char *)t->message, .n = t->message_len};
	return on_notify(arg, session, &whole, out);
}

static void check_ack(const struct spop_frame *frame)
{
	struct rd r = rd_span(frame->payload);
	struct spop_action action;
	bool verdict = false;
	int rc;

	while ((rc = spop_action_next(&r, &action)) > 0) {
		verdict = action.set && span_is(action.name, "verdict");
		FUZZ_CHECK(action.scope == SPOP_SCOPE_TXN);
	}
	FUZZ_CHECK(rc == 0 && verdict); /* the last one */
}

static void check_output(struct talk *t, const struct wr *out)
{
	struct rd r = rd_of(out->start, wr_len(out));
	struct spop_frame frame;

	while (rd_left(&r)) {
		FUZZ_CHECK(spop_frame_next(&r, t->session.max_frame, &frame) == 1);
		FUZZ_CHECK(frame.flags == SPOP_FIN);
		if (frame.type == SPOP_ACK) {
			check_ack(&frame);
			t->n_acks++;
		} else if (frame.type == SPOP_AGENT_DISCONNECT) {
			FUZZ_CHECK(!rd_left(&r) && t->session.state == SPOA_SESSION_CLOSED);
		} else {
			FUZZ_CHECK(frame.type == SPOP_AGENT_HELLO);
		}
	}
	FUZZ_CHECK(t->n_acks <= t->n_notifies);
}

/* Exactly the room that a step may ask for, so that a sanitizer sees one byte more. */
static bool step(struct talk *t, struct rd *in)
{
	const struct spoa_session_handler handler = {
		.notify = on_notify, .fragment = on_fragment, .arg = t};
	size_t room = 2 * SPOA_SESSION_ROOM(t->session.max_frame);
	bool was_closed = t->session.state == SPOA_SESSION_CLOSED;
	unsigned char *buf = malloc(room);
	struct wr out = wr_of(buf, room);
	bool more;

	FUZZ_CHECK(buf);
	more = spoa_session_step(&t->session, &handler, in, &out);
	FUZZ_CHECK(!out.bad && !(was_closed && (more || wr_len(&out))));
	check_output(t, &out);
	free(buf);
	return more;
}

/* A snapshot came: pays what is owed, and leaves with the last one if that was asked for. */
static void finish(struct talk *t, bool drain)
{
	size_t room = 2 * SPOA_SESSION_ROOM(t->session.max_frame);
	unsigned char *buf = malloc(room);

	FUZZ_CHECK(buf);
	for (unsigned i = 0; t->session.state != SPOA_SESSION_CLOSED && i <= t->n_owed; i++) {
		struct spoa_decision decision = spoa_decision_of(BASE_REASON_KEYS_UNAVAILABLE);
		struct wr out = wr_of(buf, room);

		if (i == 0 && drain)
			spoa_session_leave(&t->session, &out);
		if (i) {
			answer(t, i, i, &decision, &out);
			if (spoa_session_acked(&t->session))
				spoa_session_disconnect(&t->session, SPOP_STATUS_NORMAL, &out);
		}
		check_output(t, &out);
	}
	FUZZ_CHECK(!drain || t->session.state == SPOA_SESSION_CLOSED || t->session.fragments.open);
	free(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct talk t;
	struct rd in;
	bool over;

	if (size < 2 || size > 65536)
		return 0;
	start();
	t.n_notifies = t.n_acks = t.n_owed = 0;
	spoa_session_init(&t.session, SPOP_FRAME_SIZE_MIN + 64 * (uint32_t)data[0], data[0] & 1);
	in = rd_of(data + 2, 0);
	for (uint32_t cut = data[1]; in.end < data + size && !in.bad;) {
		size_t left = (size_t)(data + size - in.end);
		size_t n;

		cut = cut * 1103515245 + 12345;
		n = data[1] ? 1 + (cut >> 16) % (2 * data[1]) : left;
		in.end += n < left ? n : left;
		while (step(&t, &in))
			;
	}
	over = t.session.state == SPOA_SESSION_CLOSED;
	if (!over)
		FUZZ_CHECK(t.n_acks + t.n_owed == t.n_notifies && t.session.waiting == t.n_owed);
	finish(&t, data[1] & 1);
	if (!over)
		FUZZ_CHECK(t.n_acks == t.n_notifies);
	return 0;
}
