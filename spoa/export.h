/*
 * Variables claim_NAME: which there are, and where each provider has them.
 * Every ACK sets or unsets all of them, whoever the caller is.
 */
#ifndef SPOA_EXPORT_H
#define SPOA_EXPORT_H

#include "base/mem.h"
#include "conf/conf.h"
#include "spop/ack.h"
#include "spop/data.h"
#include "token/verify.h"

#include <jansson.h>

#define SPOA_EXPORT_TEXT 1024 /* bytes of a list that becomes one text */

struct spoa_exports {
	const char **names;
	char (*variables)[SPOP_VAR_NAME_MAX + 1]; /* claim_NAME */
	size_t n;
	struct token_path *paths; /* n for each provider; an empty path is unset */
};

/* What conf exports; conf must outlive it. 0 or -ENOMEM. */
int spoa_exports_compile(const struct conf *conf, struct spoa_exports *ret_exports) must_check;
void spoa_exports_done(struct spoa_exports *exports);

/*
 * The value of variable i for a caller of this provider. Text as it is,
 * integers and booleans typed, a list of texts as one text with commas;
 * anything else, text with control bytes, and a list whose texts hold commas
 * are NULL: unset. Borrows from claims, or is in buf.
 */
struct spop_data spoa_export_value(const struct spoa_exports *exports, size_t i, size_t provider,
	const json_t *claims, char buf[SPOA_EXPORT_TEXT]);

#endif
