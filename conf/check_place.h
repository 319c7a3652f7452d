/*
 * What the parts of conf_check share: a conf, the tree that it was made of,
 * and how to complain about a place in it.
 */
#ifndef CONF_CHECK_PLACE_H
#define CONF_CHECK_PLACE_H

#include "base/diag.h"
#include "base/doc.h"
#include "conf/conf.h"

struct check {
	const struct conf *conf;
	const struct base_doc *doc;
	struct base_diag *diag;
};

/* Entry i of the list under key, or an empty place. Struct i was made from it. */
static inline const struct base_doc *entry(const struct base_doc *map, const char *key, size_t i)
{
	static const struct base_doc NOTHING = {.kind = BASE_DOC_MAP};
	const struct base_doc *list = base_doc_get(map, key);

	return list && i < list->n_entries ? list->entries[i].value : &NOTHING;
}

/* Where a key's value stands; for one that is not written, where its map does. */
static inline const struct base_doc *where(const struct base_doc *map, const char *key)
{
	const struct base_doc *value = base_doc_get(map, key);

	return value ? value : map;
}

#define COMPLAIN(check, place, ...)                                                                \
	base_diag_add((check)->diag, (place)->line, (place)->column, __VA_ARGS__)

/* May this name a variable of HAProxy's? Complains at place if not. */
void conf_check_variable(const struct check *c, const struct base_doc *place, const char *name);

/* conf/check_admin.c: who may ask over TCP. */
void conf_check_admin(const struct check *c);

/* conf/check_provider.c: provider i. */
void conf_check_provider(const struct check *c, size_t i);

/* conf/check_introspection.c: how provider i is asked about tokens. */
void conf_check_introspection(const struct check *c, size_t i);

/*
 * conf/check_condition.c: one condition, written in this map. credential:
 * only what is about the credential itself may stand there.
 */
void conf_check_condition(const struct check *c, const struct base_doc *doc,
	const struct conf_condition *condition, bool credential);

/* conf/check_reach.c: number_from and srcaddr of role i. */
void conf_check_reach(const struct check *c, size_t i);

/* conf/check_workload.c: the section workloads, and what roles and providers make of it. */
void conf_check_workloads(const struct check *c);

/* conf/check_etcd.c: the section etcd. */
void conf_check_etcd(const struct check *c);

/* conf/check.c: do both mean the same identity? */
bool conf_check_same_labels(const struct conf_role *a, const struct conf_role *b);

#endif
