/*
 * The one table of configuration keys: parser, --check, the annotated
 * identityd.yaml and the manual page are all checked against it.
 */
#ifndef CONF_KEYS_H
#define CONF_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum conf_type {
	CONF_BOOL,
	CONF_INT,
	CONF_DURATION, /* "150ms", "30s", "5m", "24h", "7d" */
	CONF_SIZE,     /* bytes: "16380", "16KiB", "1MiB" */
	CONF_TEXT,
	CONF_TEXTS, /* a list of texts, or one text */
	CONF_ENUM,
	CONF_MODE,     /* octal permission bits, e.g. 0660 */
	CONF_SECTION,  /* a map of further keys */
	CONF_SECTIONS, /* a list of such maps */
	CONF_ADDRESS,  /* host:port with a literal address */
};

struct conf_key {
	const char *name;
	enum conf_type type;
	size_t offset;     /* in the struct of its section */
	int64_t min, max;  /* of the value; for texts of their length; for lists of their count */
	const char *words; /* ENUM: "auto required off", in the order of the enum */
	const char *fallback; /* default as it would be written; NULL: none */
	bool required;
	bool reloadable;
	const char *help;                   /* one sentence */
	const struct conf_section *section; /* SECTION, SECTIONS */
};

struct conf_section {
	const struct conf_key *keys;
	size_t n_keys;
	size_t size; /* of the struct, for SECTIONS */
};

/* The root of the table. */
extern const struct conf_section conf_keys;

const char *conf_type_name(enum conf_type type);

#endif
