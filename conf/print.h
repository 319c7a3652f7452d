/*
 * A configuration as it is in effect, written out: with every default and
 * every preset of a profile in it, and without the profiles.
 */
#ifndef CONF_PRINT_H
#define CONF_PRINT_H

#include "conf/conf.h"

#include <stdio.h>

/* YAML that conf_parse reads to the same configuration. */
void conf_print(const struct conf *conf, FILE *to);

#endif
