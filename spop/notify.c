#include "spop/notify.h"

#include <errno.h>

int spop_message_next(struct rd *r, struct spop_message *ret_msg)
{
	struct spop_message msg = {0};

	if (r->bad)
		return -EBADMSG;
	if (!rd_left(r))
		return 0;
	msg.name = spop_string_parse(r);
	msg.n_args = rd_u8(r);
	if (r->bad)
		return -EBADMSG;
	*ret_msg = msg;
	return 1;
}

int spop_arg_next(struct rd *r, struct spop_message *msg, struct spop_arg *ret_arg)
{
	struct spop_arg arg;

	if (r->bad)
		return -EBADMSG;
	if (msg->n_read == msg->n_args)
		return 0;
	arg.name = spop_string_parse(r);
	spop_data_parse(r, &arg.value);
	if (r->bad)
		return -EBADMSG;
	msg->n_read++;
	*ret_arg = arg;
	return 1;
}

void spop_message_encode(struct wr *w, struct span name, uint8_t n_args)
{
	spop_string_encode(w, name);
	wr_u8(w, n_args);
}

void spop_arg_encode(struct wr *w, struct span name, const struct spop_data *value)
{
	spop_string_encode(w, name);
	spop_data_encode(w, value);
}
