#include "spop/disconnect.h"

#include "spop/kv.h"

#include <errno.h>

enum { STATUS_CODE, MESSAGE, N_KEYS };

/* The type of status-code is UINT32 on paper; HAProxy takes any integer, and so do we. */
static const struct spop_kv_key keys[N_KEYS] = {
	[STATUS_CODE] = {"status-code", SPOP_KV_INT},
	[MESSAGE] = {"message", SPOP_KV_STR},
};

int spop_disconnect_parse(struct span payload, struct spop_disconnect *ret)
{
	struct spop_kv kv;
	uint64_t status;
	int rc = spop_kv_parse(payload, keys, N_KEYS, &kv);

	if (rc)
		return rc;
	if (kv.values[STATUS_CODE].type == SPOP_NULL || kv.values[MESSAGE].type == SPOP_NULL)
		return -EBADMSG;
	status = spop_kv_uint(&kv.values[STATUS_CODE]);
	if (status > UINT32_MAX)
		return -EBADMSG;
	*ret = (struct spop_disconnect){
		.status = (uint32_t)status,
		.message = kv.values[MESSAGE].text,
	};
	return 0;
}

void spop_disconnect_encode(struct wr *w, enum spop_status status)
{
	const char *text = spop_status_text(status);

	/* A number outside the list would be an index past the end of HAProxy's table. */
	if (text == spop_status_text(SPOP_STATUS_UNKNOWN))
		status = SPOP_STATUS_UNKNOWN;
	spop_kv_encode_uint32(w, keys[STATUS_CODE].name, status);
	spop_kv_encode_str(w, keys[MESSAGE].name, span_of(text));
}
