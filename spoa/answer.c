#include "spoa/answer.h"

#include "bpfmap/mark.h"
#include "spoa/challenge.h"
#include "spop/ack.h"
#include "spop/frame.h"

#include <string.h>

struct answer {
	const struct spoa_config *config;
	const struct spoa_decision *decision;
	char *challenge; /* SPOA_CHALLENGE_MAX bytes */
};

/* Each fills *value and returns true, or returns false: the variable is unset. */
typedef bool variable_fn(struct answer *a, struct spop_data *value);

static bool text(struct spop_data *value, struct span s)
{
	value->type = SPOP_STR;
	value->text = s;
	return s.n > 0;
}

static bool integer(struct spop_data *value, int64_t i)
{
	value->type = SPOP_INT64;
	value->sint = i;
	return true;
}

/* The role, where the caller may act in it. */
static const struct ident_role *role_of(const struct answer *a)
{
	return a->decision->verdict == SPOA_ALLOW ? a->decision->role : NULL;
}

static bool id(struct answer *a, struct spop_data *value)
{
	return role_of(a) && integer(value, a->decision->identity->number.id);
}

/*
 * Only a number that Cilium's own store confirmed may be a mark; any other
 * would be some pod's. A HAProxy that could not set it gets none, so that it
 * does not take a request for marked that is not.
 */
static bool mark(struct answer *a, struct spop_data *value)
{
	struct ident_markable number;

	return role_of(a) && !a->decision->unmarkable &&
	       ident_number_markable(a->decision->identity->number, &number) &&
	       integer(value,
		       bpfmap_mark_encode(number.id, a->config->conf->bpf.clusters ? 511 : 255));
}

static bool labels(struct answer *a, struct spop_data *value)
{
	return role_of(a) && text(value, spoa_identity_labels(a->decision->identity));
}

static bool role(struct answer *a, struct spop_data *value)
{
	return role_of(a) && text(value, a->decision->names);
}

static bool caller_text(struct answer *a, enum spoa_text which, struct spop_data *value)
{
	return a->decision->valid && text(value, spoa_caller_text(a->decision->caller, which));
}

static bool sub(struct answer *a, struct spop_data *value)
{
	return caller_text(a, SPOA_TEXT_SUB, value);
}

static bool iss(struct answer *a, struct spop_data *value)
{
	return a->decision->valid && text(value, spoa_caller_iss(a->decision->caller, a->config));
}

static bool client_id(struct answer *a, struct spop_data *value)
{
	return caller_text(a, SPOA_TEXT_CLIENT_ID, value);
}

static bool scope(struct answer *a, struct spop_data *value)
{
	return caller_text(a, SPOA_TEXT_SCOPE, value);
}

static bool actor(struct answer *a, struct spop_data *value)
{
	return caller_text(a, SPOA_TEXT_ACTOR, value);
}

static bool expiry(struct answer *a, struct spop_data *value)
{
	return a->decision->valid && !a->decision->caller->workload &&
	       integer(value, a->decision->caller->exp);
}

static bool route(struct answer *a, struct spop_data *value)
{
	return (role_of(a) || a->decision->observed) && text(value, a->decision->route);
}

static bool policy(struct answer *a, struct spop_data *value)
{
	return text(value, a->decision->policy);
}

static bool status(struct answer *a, struct spop_data *value)
{
	return integer(
		value, a->decision->observed ? 200 : base_reason_status(a->decision->reason));
}

static bool reason(struct answer *a, struct spop_data *value)
{
	return text(value, span_of(base_reason_word(a->decision->reason)));
}

static bool challenge(struct answer *a, struct spop_data *value)
{
	return !a->decision->observed &&
	       text(value, spoa_challenge(a->config->conf, a->decision, a->challenge));
}

/* The caller's next DPoP proof must carry it (RFC 9449 8.2): the header DPoP-Nonce. */
static bool dpop_nonce(struct answer *a, struct spop_data *value)
{
	return text(value, span_of(a->decision->nonce));
}

static bool assertion(struct answer *a, struct spop_data *value)
{
	return role_of(a) && text(value, a->decision->assertion);
}

static bool address(struct spop_data *value, bool v4, const uint8_t *bytes)
{
	value->type = v4 ? SPOP_IPV4 : SPOP_IPV6;
	memcpy(value->ip, bytes, v4 ? 4 : 16);
	return true;
}

static const struct ident_role *sender_of(const struct answer *a)
{
	return role_of(a) ? a->decision->sends : NULL;
}

/* The IPv4 address; where the role has none, its only one. */
static bool srcaddr(struct answer *a, struct spop_data *value)
{
	const struct ident_role *role = sender_of(a);

	if (role && role->has_srcaddr4)
		return address(value, true, role->srcaddr4);
	return role && role->has_srcaddr6 && address(value, false, role->srcaddr6);
}

static bool srcaddr6(struct answer *a, struct spop_data *value)
{
	const struct ident_role *role = sender_of(a);

	return role && role->has_srcaddr6 && address(value, false, role->srcaddr6);
}

static bool verdict(struct answer *a, struct spop_data *value)
{
	enum spoa_verdict heard = a->decision->observed ? SPOA_ALLOW : a->decision->verdict;

	return text(value, span_of(spoa_verdict_name(heard)));
}

static const struct variable {
	struct span name;
	variable_fn *value;
} BEFORE[] =
	{
		{SPAN("id"), id},
		{SPAN("mark"), mark},
		{SPAN("labels"), labels},
		{SPAN("role"), role},
		{SPAN("sub"), sub},
		{SPAN("iss"), iss},
		{SPAN("client_id"), client_id},
		{SPAN("scope"), scope},
		{SPAN("actor"), actor},
		{SPAN("exp"), expiry},
		{SPAN("route"), route},
		{SPAN("policy"), policy},
		{SPAN("srcaddr"), srcaddr},
		{SPAN("srcaddr6"), srcaddr6},
		{SPAN("assertion"), assertion},
		{SPAN("challenge"), challenge},
		{SPAN("dpop_nonce"), dpop_nonce},
},
  LAST[] = {
	  {SPAN("status"), status},
	  {SPAN("reason"), reason},
	  {SPAN("verdict"), verdict},
};

static void write_variables(
	struct wr *w, struct answer *a, const struct variable *variables, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct spop_data value = {0};

		if (variables[i].value(a, &value))
			spop_ack_set(w, SPOP_SCOPE_TXN, variables[i].name, &value);
		else
			spop_ack_unset(w, SPOP_SCOPE_TXN, variables[i].name);
	}
}

/* claim_NAME for each export, as it was packed. */
static void write_exports(struct wr *w, const struct answer *a)
{
	const struct spoa_exports *exports = &a->config->exports;
	struct span packed = {0};
	struct rd values;

	if (a->decision->valid)
		packed = spoa_caller_text(a->decision->caller, SPOA_TEXT_EXPORTS);
	values = rd_span(packed);
	for (size_t i = 0; i < exports->n; i++) {
		struct spop_data value = {0};
		struct span name = span_of(exports->variables[i]);

		if (packed.n)
			spop_data_parse(&values, &value);
		if (value.type == SPOP_NULL)
			spop_ack_unset(w, SPOP_SCOPE_TXN, name);
		else
			spop_ack_set(w, SPOP_SCOPE_TXN, name, &value);
	}
}

int spoa_answer(struct wr *w, uint64_t stream_id, uint64_t frame_id, uint32_t max_frame,
	const struct spoa_config *config, const struct spoa_decision *decision)
{
	char challenge[SPOA_CHALLENGE_MAX];
	struct answer a = {.config = config, .decision = decision, .challenge = challenge};
	struct spop_frame_mark frame = spop_frame_begin(w, SPOP_ACK, SPOP_FIN, stream_id, frame_id);

	write_variables(w, &a, BEFORE, ARRAY_SIZE(BEFORE));
	write_exports(w, &a);
	write_variables(w, &a, LAST, ARRAY_SIZE(LAST));
	return spop_frame_end(w, frame, max_frame);
}

int spoa_answer_short(struct wr *w, uint64_t stream_id, uint64_t frame_id, uint32_t max_frame,
	const struct spoa_decision *decision)
{
	struct answer a = {.decision = decision};
	struct spop_frame_mark frame = spop_frame_begin(w, SPOP_ACK, SPOP_FIN, stream_id, frame_id);

	write_variables(w, &a, LAST, ARRAY_SIZE(LAST));
	return spop_frame_end(w, frame, max_frame);
}
