#include "base/wr.h"
#include "ident/labels.h"
#include "spoa/caller.h"
#include "spoa/hash.h"
#include "spoa/union.h"
#include "spop/data.h"
#include "token/cnf.h"
#include "token/hash.h"
#include "token/json.h"
#include "token/workload.h"

#include <string.h>

struct packing {
	const struct spoa_config *config;
	const struct token_claims *claims;
	struct spoa_caller *caller;
	struct wr out;
};

static void put(struct packing *p, struct span text)
{
	wr_bytes(&p->out, text.p, text.n);
}

static void sub(struct packing *p)
{
	put(p, p->claims->sub);
}

static void iss(struct packing *p)
{
	if (!span_is(p->claims->iss, p->config->rules[p->claims->issuer].issuer))
		put(p, p->claims->iss);
}

static void client_id(struct packing *p)
{
	put(p, p->claims->client_id);
}

static void scope(struct packing *p)
{
	put(p, p->claims->scope);
}

static void actor(struct packing *p)
{
	put(p, p->claims->actor);
}

static void jti(struct packing *p)
{
	put(p, p->claims->jti);
}

static void sid(struct packing *p)
{
	put(p, token_json_text(p->claims->claims, "sid", TOKEN_TEXT_MAX));
}

static struct span confirmation(const struct packing *p, const char *method)
{
	return token_json_text(json_object_get(p->claims->claims, "cnf"), method, TOKEN_TEXT_MAX);
}

static void cnf_jkt(struct packing *p)
{
	put(p, confirmation(p, "jkt"));
}

static void cnf_x5t(struct packing *p)
{
	put(p, confirmation(p, "x5t#S256"));
}

static struct span text_of(const json_t *value)
{
	return (struct span){.p = json_string_value(value), .n = json_string_length(value)};
}

static void put_audience(struct packing *p, const json_t *value)
{
	put(p, text_of(value));
	wr_u8(&p->out, 0);
}

static void audiences(struct packing *p)
{
	const json_t *aud = p->claims->aud;

	if (json_is_string(aud))
		put_audience(p, aud);
	for (size_t i = 0; i < json_array_size(aud); i++)
		put_audience(p, json_array_get(aud, i));
}

static void exports(struct packing *p)
{
	const struct spoa_exports *exports = &p->config->exports;
	char buf[SPOA_EXPORT_TEXT];

	for (size_t i = 0; i < exports->n; i++) {
		struct spop_data value =
			spoa_export_value(exports, i, p->claims->issuer, p->claims->claims, buf);

		spop_data_encode(&p->out, &value);
	}
}

static void workload(struct packing *p)
{
	if (p->config->workloads.n_ranges)
		token_workload_write(p->claims->claims, p->claims->sub, &p->out);
}

static struct ident_caller caller_of(const struct packing *p)
{
	return (struct ident_caller){
		.provider = p->config->rules[p->claims->issuer].name,
		.claims = p->claims->claims,
		.actor = p->claims->act,
		.scope = p->claims->scope,
	};
}

/* What the credential says about a role, labels included. */
static enum ident_answer admits(
	struct packing *p, const struct ident_role *role, const struct ident_caller *caller)
{
	char text[IDENT_LABELS_TEXT_MAX];
	struct wr out = wr_of(text, sizeof(text));
	enum ident_answer answer = ident_role_of_caller(role, caller);
	struct ident_misfit misfit;
	enum ident_fit fit;

	if (answer != IDENT_HOLDS || !role->template)
		return answer;
	fit = ident_template_render(role->template, caller, &out, &misfit);
	if (fit == IDENT_FIT_NOT && !p->caller->unfit)
		p->caller->unfit = (uint16_t)(role - p->config->roles + 1);
	return fit == IDENT_FIT          ? IDENT_HOLDS
	       : fit == IDENT_FIT_UNSAID ? IDENT_UNSAID
					 : IDENT_FAILS;
}

/*
 * The roles that the credential admits, as indices in their order. When only
 * the first counts: up to the first for which that is all, so a request has to
 * look at few.
 */
static void roles(struct packing *p)
{
	const struct ident_caller caller = caller_of(p);

	p->caller->united = p->config->match_all;
	for (size_t i = 0; i < p->config->conf->n_roles; i++) {
		const struct ident_role *role = &p->config->roles[i];
		enum ident_answer answer = admits(p, role, &caller);
		uint16_t entry = (uint16_t)i | (answer == IDENT_UNSAID ? SPOA_CALLER_UNKNOWN : 0);

		if (answer == IDENT_FAILS)
			continue;
		wr_bytes(&p->out, &entry, sizeof(entry));
		if (ident_role_asks_request(role) || answer == IDENT_UNSAID)
			p->caller->united = 0;
		if (!p->config->match_all && !ident_role_asks_request(role))
			break;
	}
}

/* The labels of one role, as a piece with its length before it. */
static void put_labels(
	struct packing *p, const struct ident_role *role, const struct ident_caller *caller)
{
	size_t before = wr_len(&p->out);
	struct ident_misfit misfit;
	uint16_t n = 0;

	wr_bytes(&p->out, &n, sizeof(n));
	if (p->out.bad ||
		ident_template_render(role->template, caller, &p->out, &misfit) != IDENT_FIT)
		return;
	n = (uint16_t)(wr_len(&p->out) - before - sizeof(n));
	memcpy(p->out.start + before, &n, sizeof(n));
}

/* The union of all, in their order; one that is too large is none, and nobody's. */
static void put_union(struct packing *p, struct span list, const struct ident_caller *caller)
{
	struct spoa_union all = {0};
	char text[IDENT_LABELS_TEXT_MAX];
	int rc = 0;

	for (; !rc && list.n; list.p += sizeof(uint16_t), list.n -= sizeof(uint16_t)) {
		struct wr out = wr_of(text, sizeof(text));
		struct ident_misfit misfit;
		const struct ident_role *role;
		uint16_t entry;

		memcpy(&entry, list.p, sizeof(entry));
		role = &p->config->roles[entry];
		if (!role->template)
			rc = spoa_union_add(&all, span_of(role->labels));
		else if (ident_template_render(role->template, caller, &out, &misfit) == IDENT_FIT)
			rc = spoa_union_add(&all, (struct span){text, wr_len(&out)});
	}
	if (!rc)
		put(p, all.labels);
}

static void labels(struct packing *p)
{
	const struct ident_caller caller = caller_of(p);
	struct span list = spoa_caller_text(p->caller, SPOA_TEXT_ROLES);

	if (p->caller->united) {
		put_union(p, list, &caller);
		return;
	}
	for (; list.n; list.p += sizeof(uint16_t), list.n -= sizeof(uint16_t)) {
		const struct ident_role *role;
		uint16_t entry;

		memcpy(&entry, list.p, sizeof(entry));
		role = &p->config->roles[entry & ~SPOA_CALLER_UNKNOWN];
		if (role->template && !(entry & SPOA_CALLER_UNKNOWN))
			put_labels(p, role, &caller);
	}
}

/* A text of the block is a row here. */
static void (*const PACK[])(struct packing *p) = {
	[SPOA_TEXT_SUB] = sub,
	[SPOA_TEXT_ISS] = iss,
	[SPOA_TEXT_CLIENT_ID] = client_id,
	[SPOA_TEXT_SCOPE] = scope,
	[SPOA_TEXT_ACTOR] = actor,
	[SPOA_TEXT_JTI] = jti,
	[SPOA_TEXT_SID] = sid,
	[SPOA_TEXT_CNF_JKT] = cnf_jkt,
	[SPOA_TEXT_CNF_X5T] = cnf_x5t,
	[SPOA_TEXT_AUDIENCES] = audiences,
	[SPOA_TEXT_EXPORTS] = exports,
	[SPOA_TEXT_WORKLOAD] = workload,
	[SPOA_TEXT_ROLES] = roles,
	[SPOA_TEXT_LABELS] = labels,
};
_Static_assert(ARRAY_SIZE(PACK) == SPOA_TEXTS, "a row for each text");

/*
 * 64 bits of SHA-256(iss NUL sub): neither text can hold a NUL, so no two
 * callers share an input. A token without sub is its client's; a second NUL
 * keeps that apart from a subject of the same name.
 */
static uint64_t subject_of(const struct token_claims *claims)
{
	unsigned char text[2 * TOKEN_TEXT_MAX + 2];
	uint8_t hash[TOKEN_HASH_BYTES];
	struct wr w = wr_of(text, sizeof(text));
	uint64_t subject;

	wr_bytes(&w, claims->iss.p, claims->iss.n);
	wr_u8(&w, 0);
	if (!claims->sub.n)
		wr_u8(&w, 0);
	if (claims->sub.n)
		wr_bytes(&w, claims->sub.p, claims->sub.n);
	else
		wr_bytes(&w, claims->client_id.p, claims->client_id.n);
	token_hash_of((struct span){(const char *)w.start, wr_len(&w)}, hash);
	memcpy(&subject, hash, sizeof(subject));
	return subject ? subject : 1; /* 0 means nobody */
}

static void hash_texts(const struct spoa_config *config, struct spoa_caller *caller)
{
	const struct span texts[] = {
		[TOKEN_REVOKE_ISS] = spoa_caller_iss(caller, config),
		[TOKEN_REVOKE_SUB] = spoa_caller_text(caller, SPOA_TEXT_SUB),
		[TOKEN_REVOKE_SID] = spoa_caller_text(caller, SPOA_TEXT_SID),
		[TOKEN_REVOKE_JTI] = spoa_caller_text(caller, SPOA_TEXT_JTI),
		[TOKEN_REVOKE_CLIENT] = spoa_caller_text(caller, SPOA_TEXT_CLIENT_ID),
	};

	_Static_assert(ARRAY_SIZE(texts) == TOKEN_REVOKE_FIELDS, "a text for each field");
	for (size_t i = 0; i < TOKEN_REVOKE_FIELDS; i++)
		caller->token[i] = spoa_hash_text(texts[i]);
}

enum base_reason spoa_caller_pack(const struct spoa_config *config,
	const struct token_claims *claims, struct spoa_caller *ret_caller)
{
	struct token_cnf cnf;
	struct packing p = {.config = config,
		.claims = claims,
		.caller = ret_caller,
		.out = wr_of(ret_caller->bytes, UINT16_MAX)};

	*ret_caller = (struct spoa_caller){
		.exp = claims->exp,
		.nbf = claims->nbf,
		.iat = claims->iat,
		.subject = subject_of(claims),
		.key = claims->key,
		.config = (uint32_t)config->serial,
		.provider = (uint16_t)claims->issuer,
		.bound = json_object_get(claims->claims, "cnf") != NULL,
	};
	/* What it is bound to must be readable, or anybody could use it. */
	if (!token_cnf_read(claims->claims, &cnf)) {
		*ret_caller = (struct spoa_caller){0};
		return BASE_REASON_CLAIMS_MALFORMED;
	}
	for (size_t i = 0; i < SPOA_TEXTS; i++) {
		PACK[i](&p);
		ret_caller->end[i] = (uint16_t)wr_len(&p.out);
	}
	if (!p.out.bad) {
		hash_texts(config, ret_caller);
		return BASE_REASON_OK;
	}
	*ret_caller = (struct spoa_caller){0};
	return BASE_REASON_CLAIMS_MALFORMED;
}

enum base_reason spoa_caller_pack_workload(
	const struct spoa_config *config, struct span labels, struct spoa_caller *ret_caller)
{
	const struct token_claims nothing = {.issuer = config->conf->n_providers};
	enum base_reason reason = spoa_caller_pack(config, &nothing, ret_caller);

	if (reason != BASE_REASON_OK)
		return reason;
	ret_caller->workload = 1;
	ret_caller->exp = INT64_MAX;
	ret_caller->subject = spoa_hash_text(labels) | 1; /* 0 means nobody */
	return BASE_REASON_OK;
}
