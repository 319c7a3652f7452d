/*
 * One written value into its field: form, range, words. Whatever does not
 * contain further keys.
 */
#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include "base/diag.h"
#include "base/doc.h"
#include "base/mem.h"
#include "conf/keys.h"

/* One value on its way into the struct at base. All borrowed. */
struct conf_value {
	const struct conf_key *key;
	const struct base_doc *doc;
	void *base;
	struct base_diag *diag;
};

/* Not for SECTION and SECTIONS. A mistake leaves the field alone. 0 (look at diag), or -ENOMEM. */
int conf_value_bind(const struct conf_value *v) must_check;

/* Complains that doc, the value or a piece of it, has the wrong form. 0, so that binding goes on. */
int conf_value_wrong(const struct conf_value *v, const struct base_doc *doc);

/* Is it within min and max of the row? Complains otherwise; the limit is shown as type plus unit. */
bool conf_value_in_range(
	const struct conf_value *v, enum conf_type type, const char *unit, int64_t value);

#endif
