/*
 * Label sets of which some values come from the caller: "team={claims.team}".
 *
 * A place stands in a value, one in each:
 *   {claims.NAME.NAME...}  {claims['any name']}  {actor...}  {provider}
 * and may end in "|lower" (A-Z become a-z) and "|slug" (each run of bytes that
 * a value cannot have becomes one '-'; what is no letter or digit goes from
 * both ends). Without them nothing is changed, so two callers whose claims
 * differ never get one label. Text, whole numbers and booleans can be values;
 * an empty text, a list, an object or a number with a fraction cannot.
 */
#ifndef IDENT_TEMPLATE_H
#define IDENT_TEMPLATE_H

#include "base/mem.h"
#include "base/wr.h"
#include "ident/condition.h"

#include <stdbool.h>

struct ident_template;

/* Has a label of these a place? */
bool ident_template_is(const char *const *labels, size_t n);

/*
 * Compiles labels as ident_label_parse takes them, some with places, and checks
 * what can be checked without a caller; the texts are copied. 0 and the
 * template; -EINVAL, -EEXIST, -E2BIG with a sentence in why, as
 * ident_labels_canonical; -ENOMEM.
 */
int ident_template_new(
	const char *const *labels, size_t n, struct ident_template **ret, char why[160]) must_check;
void ident_template_free(struct ident_template *template);

DEFINE_CLEANUP(ident_template, struct ident_template *, ident_template_free)

/*
 * A label with what is written in its place as a value, for tools that have no
 * caller: "team={claims.team|lower}" becomes "team=claims.team-lower". The
 * same text without a place. -ENAMETOOLONG when buf is too small.
 */
int ident_template_sample(const char *label, char *buf, size_t size) must_check;

enum ident_fit {
	IDENT_FIT,        /* the canonical text was written */
	IDENT_FIT_ABSENT, /* the caller has no such claim: the role is not his */
	IDENT_FIT_UNSAID, /* the provider left it out (IDENT_UNSAID) */
	IDENT_FIT_NOT,    /* what is there cannot be a label's value */
};

/* Why a template does not fit: the label as it was written, and what is wrong. Borrowed. */
struct ident_misfit {
	const char *label;
	const char *fault;
};

/*
 * The canonical text for this caller. Only with IDENT_FIT something is
 * written; otherwise *ret_misfit says why. Allocates nothing.
 */
enum ident_fit ident_template_render(const struct ident_template *template,
	const struct ident_caller *caller, struct wr *out,
	struct ident_misfit *ret_misfit) must_check;

#endif
