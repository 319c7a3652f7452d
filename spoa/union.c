#include "spoa/union.h"

int spoa_union_add(struct spoa_union *to, struct span labels)
{
	struct wr out = wr_of(to->texts[to->n % 2], sizeof(to->texts[0]));
	int rc = ident_labels_merge(to->labels, labels, &out);

	if (rc)
		return rc;
	to->labels = (struct span){to->texts[to->n % 2], wr_len(&out)};
	to->n++;
	return 0;
}
