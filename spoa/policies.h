/*
 * The policies of a configuration, made ready for its roles. Immutable and
 * reference counted; a change of the files makes new ones.
 */
#ifndef SPOA_POLICIES_H
#define SPOA_POLICIES_H

#include "policy/index.h"
#include "spoa/config.h"

#include <stdatomic.h>

struct spoa_policies {
	atomic_uint refs;
	struct policy_index *index; /* NULL: the configuration names none; all is allowed */
	uint32_t *callers;          /* number in the index, by role */
	struct base_diag notes;     /* what is fine, but not enforced here */
};

/*
 * Reads policy.paths. Mistakes go to diag, those of policy files with their own
 * place in the text. 0 and one reference; -EINVAL with diag; -ENOMEM.
 */
int spoa_policies_new(const struct spoa_config *config, struct base_diag *diag,
	struct spoa_policies **ret) must_check;
struct spoa_policies *spoa_policies_ref(struct spoa_policies *policies);
void spoa_policies_unref(struct spoa_policies *policies);

DEFINE_CLEANUP(spoa_policies, struct spoa_policies *, spoa_policies_unref)

/* One line about how many there are, and one for each note. */
void spoa_policies_log(const struct spoa_policies *policies);

#endif
