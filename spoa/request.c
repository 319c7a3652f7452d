#include "spoa/request.h"

#include "spop/notify.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

enum kind {
	TEXT,
	ADDRESS,
	PORT,
	FLAG,
	ZERO,
	TIME,
};

static const struct argument {
	struct span name;
	enum kind kind;
	size_t offset;
} ARGUMENTS[] = {
#define ROW(member, kind) ROW_AS(#member, member, kind)
#define ROW_AS(name, member, kind)                                                                 \
	{                                                                                          \
		SPAN(name), kind, offsetof(struct spoa_request, member)                            \
	}
	ROW(scheme, TEXT),
	ROW(token, TEXT),
	ROW(src, ADDRESS),
	ROW(sport, PORT),
	ROW(dst, ADDRESS),
	ROW(dport, PORT),
	ROW(client, ADDRESS),
	ROW(proxied, FLAG),
	ROW(method, TEXT),
	ROW(host, TEXT),
	ROW(path, TEXT),
	ROW(query, TEXT),
	ROW(proto, TEXT),
	ROW(https, FLAG),
	ROW(service, TEXT),
	ROW(tunnel, FLAG),
	ROW(reqid, TEXT),
	ROW(sent, TIME),
	ROW(traceparent, TEXT),
	ROW(headers, TEXT),
	ROW(cert, TEXT),
	ROW_AS("cert_verify", cert_verified, ZERO),
	ROW(cert_chain, TEXT),
	ROW(dpop, TEXT),
#undef ROW
#undef ROW_AS
};

/*
 * HAProxy sends them in the same order each time, usually that of the table
 * with some left out: look behind the last one first, and go round.
 */
static int find_argument(struct span name, int last)
{
	size_t i = (size_t)(last + 1);

	for (size_t left = ARRAY_SIZE(ARGUMENTS); left; left--, i++) {
		if (i == ARRAY_SIZE(ARGUMENTS))
			i = 0;
		if (span_eq(name, ARGUMENTS[i].name))
			return (int)i;
	}
	return -1;
}

static int store_text(void *to, const struct spop_data *value)
{
	if (value->type != SPOP_STR && value->type != SPOP_BIN)
		return -EINVAL;
	*(struct span *)to = value->text;
	return 0;
}

static int store_address(void *to, const struct spop_data *value)
{
	struct spoa_address *address = to;

	if (value->type != SPOP_IPV4 && value->type != SPOP_IPV6)
		return -EINVAL;
	address->len = value->type == SPOP_IPV4 ? 4 : 16;
	memcpy(address->bytes, value->ip, address->len);
	return 0;
}

static int store_port(void *to, const struct spop_data *value)
{
	bool is_signed = value->type == SPOP_INT32 || value->type == SPOP_INT64;
	bool is_unsigned = value->type == SPOP_UINT32 || value->type == SPOP_UINT64;

	if (!is_signed && !is_unsigned)
		return -EINVAL;
	if (is_signed ? value->sint < 0 || value->sint > UINT16_MAX : value->uint > UINT16_MAX)
		return -EINVAL;
	*(uint16_t *)to = is_signed ? (uint16_t)value->sint : (uint16_t)value->uint;
	return 0;
}

/* HAProxy sends a fetch that yields 0 or 1 as an integer where its type is not boolean. */
static int store_flag(void *to, const struct spop_data *value)
{
	uint16_t number;

	if (value->type == SPOP_BOOL) {
		*(bool *)to = value->boolean;
		return 0;
	}
	if (store_port(&number, value) || number > 1)
		return -EINVAL;
	*(bool *)to = number;
	return 0;
}

/* ssl_c_verify: X509_V_OK is 0, every other number is a mistake that HAProxy found. */
static int store_zero(void *to, const struct spop_data *value)
{
	bool is_signed = value->type == SPOP_INT32 || value->type == SPOP_INT64;
	bool is_unsigned = value->type == SPOP_UINT32 || value->type == SPOP_UINT64;

	if (!is_signed && !is_unsigned)
		return -EINVAL;
	*(bool *)to = is_signed ? value->sint == 0 : value->uint == 0;
	return 0;
}

static int store_time(void *to, const struct spop_data *value)
{
	bool is_signed = value->type == SPOP_INT32 || value->type == SPOP_INT64;
	bool is_unsigned = value->type == SPOP_UINT32 || value->type == SPOP_UINT64;

	if (!is_signed && !is_unsigned)
		return -EINVAL;
	if (is_signed ? value->sint < 0 : value->uint > INT64_MAX)
		return -EINVAL;
	*(int64_t *)to = is_signed ? value->sint : (int64_t)value->uint;
	return 0;
}

static int (*const STORE[])(void *to, const struct spop_data *value) = {
	[TEXT] = store_text,
	[ADDRESS] = store_address,
	[PORT] = store_port,
	[FLAG] = store_flag,
	[ZERO] = store_zero,
	[TIME] = store_time,
};

/* All arguments of one message; a mistake is remembered while the rest is still read. */
static int read_arguments(struct rd *r, struct spop_message *msg, struct spoa_request *request)
{
	uint32_t seen = 0;
	struct spop_arg arg;
	int mistake = 0;
	int last = -1;
	int rc;

	_Static_assert(ARRAY_SIZE(ARGUMENTS) <= 32, "seen has a bit for each");
	while ((rc = spop_arg_next(r, msg, &arg)) > 0) {
		int i = find_argument(arg.name, last);

		if (i < 0)
			continue;
		last = i;
		if (seen & UINT32_C(1) << i)
			mistake = -EINVAL;
		seen |= UINT32_C(1) << i;
		if (arg.value.type == SPOP_NULL)
			continue;
		if (STORE[ARGUMENTS[i].kind]((char *)request + ARGUMENTS[i].offset, &arg.value))
			mistake = -EINVAL;
	}
	return rc < 0 ? rc : mistake;
}

int spoa_request_parse(struct span payload, struct spoa_request *ret_request)
{
	struct spoa_request request = {0};
	struct rd r = rd_span(payload);
	struct spop_message msg;
	unsigned n_identify = 0;
	int mistake = 0;
	int rc;

	while ((rc = spop_message_next(&r, &msg)) > 0) {
		struct spoa_request other = {0};
		bool identify = span_is(msg.name, "identify");

		rc = read_arguments(&r, &msg, identify ? &request : &other);
		if (rc == -EBADMSG)
			return rc;
		if (identify && rc)
			mistake = rc;
		n_identify += identify;
	}
	if (rc < 0)
		return rc;
	if (mistake || n_identify != 1)
		return -EINVAL;
	*ret_request = request;
	return 0;
}
