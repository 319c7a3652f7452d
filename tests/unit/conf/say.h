/* What --check would print about a text. */
#ifndef TESTS_UNIT_CONF_SAY_H
#define TESTS_UNIT_CONF_SAY_H

#include "base/diag.h"
#include "conf/conf.h"

#include <stddef.h>

/* Four lines that make a configuration. */
#define MINIMAL                                                                                    \
	"version: 1\n"                                                                             \
	"listen: [{tcp: 127.0.0.1:9909}]\n"                                                        \
	"providers: [{name: p, issuer: https://idp.example, audiences: [a]}]\n"                    \
	"roles: [{name: r, labels: [role=user]}]\n"

/* What base_diag_print writes; static, until the next call. */
const char *say_diag(const struct base_diag *diag);

/* The same for a whole text read as configuration "f"; "" when it is good. */
const char *say_conf(const char *text);

/* The same for a text that is only read as YAML. */
const char *say_yaml(const char *text, size_t n);

/* A configuration that must be good. The caller's. */
struct conf *say_good(const char *text);

/* A loop test's row: text, and all that is said about it. */
struct say_row {
	const char *text;
	const char *said;
};

#endif
