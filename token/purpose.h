/*
 * What was a token made for? One that was made for something else is no
 * credential here, however good its signature (RFC 8725 3.11, 3.12).
 */
#ifndef TOKEN_PURPOSE_H
#define TOKEN_PURPOSE_H

#include "base/reason.h"
#include "token/verify.h"

/* The member of the claim events that makes a logout token (OIDC Back-Channel Logout 2.4). */
#define TOKEN_LOGOUT_EVENT "http://schemas.openid.net/event/backchannel-logout"

/*
 * OK or TYP_NOT_ALLOWED. typ is as in token_jws, "" when absent.
 *   typ      must be on the provider's list, or absent unless it is required;
 *            with no list it may be anything but logout+jwt and dpop+jwt
 *   events   with a logout in it: a logout token, good only where its typ is
 *            on the list
 *   at_hash, c_hash, nonce   an ID token (OIDC Core 2), unless typ is at+jwt
 *            or the provider has id_tokens
 */
enum base_reason token_purpose_check(
	const char *typ, const json_t *claims, const struct token_provider *rules);

#endif
