/*
 * The one table of configuration keys: parser, --check, the annotated
 * identityd.yaml and the manual page are all checked against it.
 */
#ifndef CONF_KEYS_H
#define CONF_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The field of each type is in the comment; offsets in the table lead there. */
enum conf_type {
	CONF_BOOL,     /* bool */
	CONF_INT,      /* int64_t or uint32_t, see width */
	CONF_DURATION, /* "150ms", "30s", "5m", "24h", "7d": int64_t, milliseconds */
	CONF_SIZE,     /* bytes: "16380", "16KiB", "1MiB": int64_t */
	CONF_MODE,     /* octal permission bits, e.g. 0660: int */
	CONF_ENUM,     /* one of words: int, the place in words */
	CONF_TEXT,     /* char * */
	CONF_NAME,     /* text of [a-z0-9-]: char * */
	CONF_PATH,     /* text that starts with a slash: char * */
	CONF_TEXTS,    /* a list of texts, or one text: struct conf_strings */
	CONF_PORTS,    /* a list of port numbers, or one: uint16_t[max], and their number */
	CONF_ADDRESS,  /* host:port with a literal address: char * for the host, uint16_t */
	CONF_SECTION,  /* a map of further keys, which live in the same struct */
	CONF_SECTIONS, /* a list of such maps: a pointer to structs, and their number */
};
#define CONF_TYPES (CONF_SECTIONS + 1)

struct base_doc;
struct conf_section;

#define CONF_PRESET 1280 /* bytes of a preset, with its NUL: an issuer and a path */

struct conf_key {
	const char *name;
	enum conf_type type;
	size_t offset;     /* in the struct of its section; unused for SECTION */
	size_t width;      /* of the field there */
	int64_t min, max;  /* of the value; for texts of their length; for lists of their count */
	const char *words; /* ENUM: "auto required off", in the order of the enum; TEXTS: allowed */
	const char *fallback; /* default as it would be written; NULL: none */
	const char *example;  /* of a value, where there is no fallback */
	bool required;
	bool reloadable;
	const char *help;  /* one sentence */
	const char *needs; /* the key beside it without which it means nothing; or NULL */
	const struct conf_section *section; /* SECTION, SECTIONS */
	size_t second; /* offset of the second field: the number (SECTIONS, PORTS), the port (ADDRESS) */
	size_t pos; /* offset of a struct conf_pos that keeps where the value stands; 0: nobody asks */
};

struct conf_section {
	const struct conf_key *keys;
	size_t n_keys;
	size_t size; /* of the struct, for SECTIONS; it starts with a struct conf_pos */
	/*
	 * What a key that is not written in this map stands at instead of its
	 * fallback, as YAML; NULL: nothing, or no such function. buf is for it.
	 */
	const char *(*preset)(const struct base_doc *map, const char *key, char buf[CONF_PRESET]);
};

/* The root of the table; its struct is struct conf. */
extern const struct conf_section conf_keys;

/* "duration", "list of texts", ... */
const char *conf_type_name(enum conf_type type);

/*
 * The table for people, one paragraph per key: its path, type, default, range,
 * whether a reload can change it, and its help.
 */
void conf_print_keys(FILE *to);

#endif
