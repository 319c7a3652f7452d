#include "spoa/logout.h"

#include "base/wr.h"
#include "spoa/daemon.h"
#include "spoa/form.h"
#include "spoa/log.h"
#include "token/logout.h"

#include <errno.h>
#include <openssl/sha.h>
#include <string.h>

/* Lines a second for what strangers send here. */
#define LINES 5

struct logout {
	struct spoa_daemon *daemon;
	struct base_now now;
	/* The providers that may log somebody out, with the rules for that, and which they are. */
	struct token_issuer issuers[SPOA_PROVIDERS_MAX];
	size_t providers[SPOA_PROVIDERS_MAX];
	size_t n;
	struct token_claims claims; /* owned */
	struct span sid;
};

static void cleanup_fn_logout(struct logout *l)
{
	token_claims_done(&l->claims);
}

static void collect(struct logout *l)
{
	const struct spoa_snapshot *snapshot = l->daemon->snapshot;
	const struct conf *conf = snapshot->config->conf;

	for (size_t i = 0; i < snapshot->n_issuers; i++) {
		const struct conf_strings *audiences = &conf->providers[i].logout_audiences;

		if (!audiences->n)
			continue;
		l->issuers[l->n].rules = token_logout_rules(&snapshot->issuers[i].rules,
			(const char *const *)audiences->items, audiences->n);
		l->issuers[l->n].keys = snapshot->issuers[i].keys;
		l->providers[l->n++] = i;
	}
}

/* Newer keys may know the token: asks for them, as far as their allowance goes. */
static void need_keys(struct logout *l, enum base_reason reason, int alg)
{
	uint64_t mask = 0;

	for (size_t i = 0; alg >= 0 && i < l->n; i++)
		if (l->issuers[i].rules.algs & TOKEN_ALG_BIT(alg))
			mask |= UINT64_C(1) << l->providers[i];
	if (reason == BASE_REASON_SIGNATURE_INVALID)
		spoa_keys_need(l->daemon->keys, 0, mask, "");
	if (reason == BASE_REASON_KEY_UNKNOWN || reason == BASE_REASON_KEYS_UNAVAILABLE)
		spoa_keys_need(l->daemon->keys, mask, 0, "");
}

static enum base_reason verify(struct logout *l, struct span token)
{
	int alg = -1;
	enum base_reason reason = token_logout_verify(l->daemon->token, l->issuers, l->n, token,
		base_clock_wall_s(&l->now), &l->claims, &l->sid, &alg);

	need_keys(l, reason, alg);
	/* The provider may have a new key that we shall know in a moment. */
	return reason == BASE_REASON_KEY_UNKNOWN ? BASE_REASON_KEYS_UNAVAILABLE : reason;
}

/* Names the token; iss and jti hold no NUL. */
static bool name(const struct logout *l, unsigned char ret_id[TOKEN_REPLAY_ID])
{
	static const char KIND[] = "logout"; /* its NUL is part of it */
	unsigned char text[sizeof(KIND) + 2 * TOKEN_TEXT_MAX + 1];
	struct wr w = wr_of(text, sizeof(text));

	wr_bytes(&w, KIND, sizeof(KIND));
	wr_bytes(&w, l->claims.iss.p, l->claims.iss.n);
	wr_u8(&w, 0);
	wr_bytes(&w, l->claims.jti.p, l->claims.jti.n);
	return !w.bad && SHA256(text, wr_len(&w), ret_id);
}

/* After it is in force, so that a provider may try again what failed. */
static void note(const struct logout *l, const unsigned char id[TOKEN_REPLAY_ID])
{
	int64_t expires_s = l->claims.iat + TOKEN_LOGOUT_MAX_AGE_S +
			    l->issuers[l->claims.issuer].rules.leeway_s;

	/* Without room it may come again, and do again what was done. */
	(void)token_replay_note(
		l->daemon->guard->replay, id, 0, expires_s, base_clock_wall_s(&l->now));
}

/*
 * With a sid the session has ended, whatever is issued in it; without one, or
 * where the provider's tokens do not carry it, all that the subject got before
 * now: a login that follows must work.
 */
static int revoke_what_ended(
	struct logout *l, struct store_revocation *ret_entry, char why[STORE_WHY])
{
	const struct conf *conf = l->daemon->snapshot->config->conf;
	const struct conf_provider *provider = &conf->providers[l->providers[l->claims.issuer]];
	bool session = l->sid.n && !(provider->logout_subject && l->claims.sub.n);
	int64_t now_s = base_clock_wall_s(&l->now);

	*ret_entry = (struct store_revocation){
		.iss = l->claims.iss,
		.sub = session ? (struct span){0} : l->claims.sub,
		.sid = session ? l->sid : (struct span){0},
		.issued_before = session ? 0 : l->claims.iat + 1,
		.expires = now_s + spoa_revoke_ttl(conf),
		.added = now_s,
		.source = SPAN("logout"),
	};
	return spoa_revoke_add(l->daemon->revoke, ret_entry, now_s, why);
}

static void log_refused(struct logout *l, const char *reason)
{
	struct base_log log;
	uint64_t lost;

	spoa_metrics_add(&l->daemon->metrics, SPOA_COUNT_LOGOUTS_REFUSED, 1);
	if (!spoa_log_allowed(&l->daemon->logout_lines, LINES, l->now.mono_ns, &lost) ||
		!spoa_log_open(&log, BASE_LOG_WARNING, "logout_refused"))
		return;
	base_log_str(&log, "reason", reason);
	if (lost)
		base_log_int(&log, "suppressed", (int64_t)lost);
	spoa_log_close(&log);
}

static void log_accepted(struct logout *l, const struct store_revocation *entry)
{
	struct base_log log;

	spoa_metrics_add(&l->daemon->metrics, SPOA_COUNT_LOGOUTS, 1);
	if (!spoa_log_open(&log, BASE_LOG_INFO, "logout"))
		return;
	base_log_int(&log, "id", entry->id);
	base_log_text(&log, "iss", entry->iss);
	base_log_text(&log, "sub", l->claims.sub);
	base_log_int(&log, "expires", entry->expires);
	spoa_log_close(&log);
}

/* 2.8: invalid_request for a token that is no good; ours are for the provider to try again. */
static void refuse(struct logout *l, struct spoa_http_answer *answer, unsigned status,
	const char *reason, const char *text)
{
	log_refused(l, reason);
	answer->status = status;
	answer->content_type = "application/json";
	if (asprintf(&answer->body, "{\"error\":\"%s\",\"error_description\":\"%s\"}",
		    status == 400 ? "invalid_request" : "temporarily_unavailable", text) < 0)
		answer->body = NULL;
}

static void refuse_reason(
	struct logout *l, struct spoa_http_answer *answer, enum base_reason reason)
{
	refuse(l, answer, base_reason_status(reason) == 503 ? 503 : 400, base_reason_word(reason),
		base_reason_help(reason));
}

static bool is_form(const char *content_type)
{
	static const char FORM[] = "application/x-www-form-urlencoded";
	size_t n = sizeof(FORM) - 1;

	return !strncasecmp(content_type, FORM, n) &&
	       (!content_type[n] || content_type[n] == ';' || content_type[n] == ' ');
}

/* 2.5: the form field logout_token. */
static enum base_reason read_token(
	const struct spoa_http_request *request, char buf[TOKEN_MAX_BYTES], struct span *ret_token)
{
	int rc = -EBADMSG;

	if (is_form(request->content_type))
		rc = spoa_form_get(request->body, "logout_token", buf, TOKEN_MAX_BYTES, ret_token);
	if (rc == -EMSGSIZE)
		return BASE_REASON_TOKEN_TOO_LARGE;
	return rc ? BASE_REASON_NO_TOKEN : BASE_REASON_OK;
}

static void take(struct logout *l, struct spoa_http_answer *answer)
{
	unsigned char id[TOKEN_REPLAY_ID];
	char why[STORE_WHY] = "";
	struct store_revocation entry;
	int rc;

	if (!name(l, id)) {
		refuse_reason(l, answer, BASE_REASON_INTERNAL);
		return;
	}
	/* 2.6, step 8 */
	if (token_replay_has(l->daemon->guard->replay, id, base_clock_wall_s(&l->now))) {
		refuse(l, answer, 400, "replayed", "this logout token was here before");
		return;
	}
	rc = revoke_what_ended(l, &entry, why);
	if (rc) {
		refuse(l, answer, rc == -ENOSPC ? 507 : 503, why, "it could not be stored");
		return;
	}
	note(l, id);
	log_accepted(l, &entry);
	answer->body = strdup("");
}

void spoa_route_logout(
	void *arg, const struct spoa_http_request *request, struct spoa_http_answer *answer)
{
	cleanup(logout) struct logout l = {.daemon = arg};
	char buf[TOKEN_MAX_BYTES];
	struct span token;
	enum base_reason reason = read_token(request, buf, &token);

	base_clock_now(&l.now);
	collect(&l);
	if (reason == BASE_REASON_OK)
		reason = verify(&l, token);
	if (reason == BASE_REASON_OK)
		take(&l, answer);
	else
		refuse_reason(&l, answer, reason);
}
