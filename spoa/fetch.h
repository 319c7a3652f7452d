/*
 * How a provider is asked for its keys: discovery where there is no address,
 * then the set; or one PEM file for one key id, where a provider publishes its
 * keys so. Knows requests and answers, not what becomes of keys.
 */
#ifndef SPOA_FETCH_H
#define SPOA_FETCH_H

#include "base/mem.h"
#include "base/span.h"
#include "conf/conf.h"
#include "net/net.h"
#include "token/discovery.h"

#define SPOA_FETCH_WHY 200

/* The only shape of key id that ever becomes part of a URL: ^[0-9a-f-]{36}$. */
#define SPOA_FETCH_KID 36

enum spoa_fetch_step {
	SPOA_FETCH_DISCOVERY,
	SPOA_FETCH_SET,
	SPOA_FETCH_PEM,
};

struct spoa_fetch {
	struct net *net;
	void *owner; /* what the net thread's answers carry */
	const struct conf_provider *provider;
	enum spoa_fetch_step step;
	char url[TOKEN_URL_MAX + 1];      /* that is being asked */
	char kid[SPOA_FETCH_KID + 1];     /* PEM: that is being asked for */
	char etag[NET_ETAG_MAX + 1];      /* of the set that was taken; empty: none */
	char etag_url[TOKEN_URL_MAX + 1]; /* where that set came from */
};

bool spoa_fetch_is_kid(struct span kid);

/* Are the keys of both asked for at the same place and in the same way? */
bool spoa_fetch_same(const struct conf_provider *a, const struct conf_provider *b);

/*
 * Sends the first request; kid is for providers with pem_uri, else NULL.
 * 0, or -errno with a sentence in why.
 */
int spoa_fetch_begin(
	struct spoa_fetch *fetch, const char *kid, char why[SPOA_FETCH_WHY]) must_check;

enum spoa_fetch_result {
	SPOA_FETCH_FAILED,    /* why says it */
	SPOA_FETCH_MORE,      /* another request is under way */
	SPOA_FETCH_GOT,       /* the answer's body is the set, or the PEM file */
	SPOA_FETCH_UNCHANGED, /* the set that was taken last is still the provider's */
	SPOA_FETCH_ABSENT,    /* PEM: there is no such key */
};

/* What the net thread's answer to the last request means. */
enum spoa_fetch_result spoa_fetch_answer(struct spoa_fetch *fetch, const struct net_answer *answer,
	char why[SPOA_FETCH_WHY]) must_check;

/* The answer's set was taken: its ETag is asked with from now on. */
void spoa_fetch_took(struct spoa_fetch *fetch, const struct net_answer *answer);

/* How long the answer may serve before it is asked for again, in ms. */
int64_t spoa_fetch_lifetime(const struct spoa_fetch *fetch, const struct net_answer *answer);

#endif
