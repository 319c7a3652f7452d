#include "token/jws.h"

#include "base/wr.h"
#include "token/b64.h"
#include "token/header.h"
#include "token/json.h"
#include "token/signature.h"

#include <errno.h>

/* An 8192 bit RSA signature; the longest we could ever check. */
#define SIGNATURE_MAX 1024
#define PAYLOAD_MAX   (TOKEN_MAX_BYTES / 4 * 3)

struct token_ctx {
	struct token_signature *checker;
	uint8_t header[TOKEN_HEADER_MAX_BYTES];
	uint8_t signature[SIGNATURE_MAX];
	uint8_t payload[PAYLOAD_MAX];
};

struct token_ctx *token_ctx_new(void)
{
	cleanup(token_ctx) struct token_ctx *ctx = calloc(1, sizeof(*ctx));

	if (!ctx)
		return NULL;
	ctx->checker = token_signature_new();
	return ctx->checker ? TAKE_PTR(ctx) : NULL;
}

void token_ctx_free(struct token_ctx *ctx)
{
	if (!ctx)
		return;
	token_signature_free(ctx->checker);
	free(ctx);
}

/* What stands before the first dot; moves *rest behind it. */
static struct span cut_segment(struct span *rest)
{
	const char *dot = memchr(rest->p, '.', rest->n);
	struct span segment = {.p = rest->p, .n = dot ? (size_t)(dot - rest->p) : rest->n};
	size_t gone = segment.n + (dot ? 1 : 0);

	*rest = (struct span){.p = rest->p + gone, .n = rest->n - gone};
	return segment;
}

/*
 * The part without its padding: one or two '=' that fill the last four
 * characters (RFC 4648 3.2). Any other '=' stays, and is no base64url.
 */
static struct span cut_padding(struct span part, struct token_jws *jws)
{
	if (part.n % 4) {
		jws->whole_quads = false;
		return part;
	}
	for (int i = 0; i < 2 && part.n && part.p[part.n - 1] == '='; i++) {
		part.n--;
		jws->padding = true;
	}
	return part;
}

static int decode(struct span text, void *buffer, size_t size, struct span *ret_bytes)
{
	struct wr w = wr_of(buffer, size);
	int r = token_b64_decode(text, &w);

	if (r)
		return r;
	*ret_bytes = (struct span){.p = buffer, .n = wr_len(&w)};
	return 0;
}

static enum base_reason read_header(
	struct token_ctx *ctx, struct span text, struct token_jws *ret_jws)
{
	struct span json;
	int r = decode(text, ctx->header, sizeof(ctx->header), &json);

	if (r == -ENOSPC)
		return BASE_REASON_HEADER_MALFORMED;
	if (r)
		return BASE_REASON_TOKEN_MALFORMED;
	return token_header_parse(json, ret_jws);
}

/* RFC 7515 7.1, 5.2. The dots have been counted. */
static enum base_reason read_segments(
	struct token_ctx *ctx, struct span token, bool padded, struct token_jws *jws)
{
	struct span rest = token;
	struct span header = cut_segment(&rest);
	struct span payload;
	enum base_reason reason;

	payload = cut_segment(&rest);
	jws->signing_input = (struct span){.p = token.p, .n = token.n - rest.n - 1};
	if (padded) {
		jws->whole_quads = true;
		header = cut_padding(header, jws);
		payload = cut_padding(payload, jws);
		rest = cut_padding(rest, jws);
	}
	if (!header.n || decode(payload, ctx->payload, sizeof(ctx->payload), &jws->payload))
		return BASE_REASON_TOKEN_MALFORMED;
	reason = read_header(ctx, header, jws);
	if (reason != BASE_REASON_OK)
		return reason;
	if (decode(rest, ctx->signature, sizeof(ctx->signature), &jws->signature))
		return BASE_REASON_TOKEN_MALFORMED;
	return BASE_REASON_OK;
}

static enum base_reason parse(
	struct token_ctx *ctx, struct span token, bool padded, struct token_jws *ret_jws)
{
	struct token_jws jws = {0};
	enum base_reason reason;
	size_t dots;

	if (token.n > TOKEN_MAX_BYTES)
		return BASE_REASON_TOKEN_TOO_LARGE;
	/* A leading brace is the JSON serialisation (RFC 7515 7.2). */
	if (!token.n || token.p[0] == '{')
		return BASE_REASON_TOKEN_MALFORMED;
	dots = span_count(token, '.', 5);
	if (dots == 4)
		return BASE_REASON_TOKEN_ENCRYPTED;
	if (dots != 2)
		return BASE_REASON_TOKEN_MALFORMED;
	reason = read_segments(ctx, token, padded, &jws);
	if (reason == BASE_REASON_OK)
		*ret_jws = jws;
	return reason;
}

enum base_reason token_jws_parse(
	struct token_ctx *ctx, struct span token, struct token_jws *ret_jws)
{
	return parse(ctx, token, false, ret_jws);
}

enum base_reason token_jws_parse_padded(
	struct token_ctx *ctx, struct span token, struct token_jws *ret_jws)
{
	return parse(ctx, token, true, ret_jws);
}

enum base_reason token_jws_header(
	struct token_ctx *ctx, const struct token_jws *jws, json_t **ret_header)
{
	struct token_jws ignored = {0};
	struct span rest = jws->signing_input;
	struct span text = cut_padding(cut_segment(&rest), &ignored);
	struct span json;

	if (decode(text, ctx->header, sizeof(ctx->header), &json))
		return BASE_REASON_INTERNAL;
	*ret_header = token_json_parse(json, TOKEN_HEADER_CAPS);
	return *ret_header ? BASE_REASON_OK : BASE_REASON_INTERNAL;
}

enum base_reason token_jws_verify(
	struct token_ctx *ctx, const struct token_jws *jws, const struct token_key *key)
{
	if (key->alg != jws->alg)
		return BASE_REASON_ALG_NOT_ALLOWED;
	switch (token_signature_check(
		ctx->checker, key->alg, key->pkey, jws->signing_input, jws->signature)) {
	case 0:
		return BASE_REASON_OK;
	case -EBADMSG:
		return BASE_REASON_SIGNATURE_INVALID;
	default:
		return BASE_REASON_INTERNAL;
	}
}
