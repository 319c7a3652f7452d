/*
 * How rows of the key table are written, and the parts of it that have a file
 * of their own.
 */
#ifndef CONF_TABLE_H
#define CONF_TABLE_H

#include "base/mem.h"
#include "conf/keys.h"

#define AT(type, member)                                                                           \
	.offset = offsetof(struct type, member), .width = sizeof(((struct type *)0)->member)
#define RANGE(lo, hi)     .min = (lo), .max = (hi)
#define SECTION_OF(table) (&(const struct conf_section){table, ARRAY_SIZE(table), 0, NULL})
#define SECTIONS_OF(table, type)                                                                   \
	(&(const struct conf_section){table, ARRAY_SIZE(table), sizeof(struct type), NULL})

/* keys_caller.c */
extern const struct conf_section conf_table_provider;
extern const struct conf_section conf_table_role;

/* policy.c */
extern const struct conf_section conf_table_policy;
extern const struct conf_section conf_table_service;
extern const struct conf_section conf_table_route;

#endif
