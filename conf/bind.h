/*
 * From the document tree to structs, row by row of a key table.
 */
#ifndef CONF_BIND_H
#define CONF_BIND_H

#include "base/diag.h"
#include "base/doc.h"
#include "base/mem.h"
#include "conf/keys.h"

/*
 * Fills the zeroed struct at base from a map. Every mistake goes into diag
 * with its position, and binding goes on; what was wrong stays zero, what was
 * not written gets its default. Each entry of a list of maps has its struct,
 * good or not, so struct i belongs to entry i.
 * 0 (look at diag), or -ENOMEM. In both cases end with conf_bind_clear.
 */
int conf_bind(const struct conf_section *section, const struct base_doc *doc, void *base,
	struct base_diag *diag) must_check;

/* Frees what the fields own and zeroes those pointers. */
void conf_bind_clear(const struct conf_section *section, void *base);

#endif
