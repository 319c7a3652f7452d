/*
 * What all structs of the configuration are made of: positions in the file and
 * lists of texts.
 */
#ifndef CONF_CONF_TEXT_H
#define CONF_CONF_TEXT_H

#include <stddef.h>

struct conf_pos {
	unsigned line;
	unsigned column;
};

struct conf_strings {
	char **items;
	size_t n;
};

#endif
