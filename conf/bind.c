#include "conf/bind.h"

#include "conf/conf.h"
#include "conf/field.h"
#include "conf/near.h"
#include "conf/text.h"
#include "conf/value.h"
#include "conf/yaml.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static void *at(void *base, size_t offset)
{
	return (char *)base + offset;
}

static void cleanup_fn_diag(struct base_diag *diag)
{
	base_diag_done(diag);
}

static bool is_empty(const struct base_doc *doc)
{
	return doc->kind == BASE_DOC_SCALAR && !doc->quoted && !doc->text[0];
}

static int bind_section(const struct conf_value *v)
{
	/* `log:` with every line below it commented out is an empty map. */
	const struct base_doc nothing = {
		.kind = BASE_DOC_MAP, .line = v->doc->line, .column = v->doc->column};

	if (v->doc->kind != BASE_DOC_MAP && !is_empty(v->doc))
		return conf_value_wrong(v, v->doc);
	return conf_bind(v->key->section, is_empty(v->doc) ? &nothing : v->doc, v->base, v->diag);
}

static int bind_sections(const struct conf_value *v)
{
	void **items = at(v->base, v->key->offset);
	size_t *n = at(v->base, v->key->second);
	size_t size = v->key->section->size;
	int err = 0;

	if (v->doc->kind != BASE_DOC_LIST)
		return conf_value_wrong(v, v->doc);
	if (!conf_value_in_range(v, CONF_INT, " entries", (int64_t)v->doc->n_entries) ||
		!v->doc->n_entries)
		return 0;
	*items = calloc(v->doc->n_entries, size);
	if (!*items)
		return -ENOMEM;
	*n = v->doc->n_entries;
	for (size_t i = 0; !err && i < *n; i++) {
		const struct base_doc *doc = v->doc->entries[i].value;
		void *item = at(*items, i * size);

		*(struct conf_pos *)item = (struct conf_pos){doc->line, doc->column};
		if (doc->kind == BASE_DOC_MAP)
			err = conf_bind(v->key->section, doc, item, v->diag);
		else
			base_diag_add(v->diag, doc->line, doc->column,
				"an entry of '%s' is %s; it must be a map of keys", v->key->name,
				conf_text_found(doc).text);
	}
	return err;
}

static int bind_value(const struct conf_value *v)
{
	if (v->key->pos)
		*(struct conf_pos *)at(v->base, v->key->pos) =
			(struct conf_pos){v->doc->line, v->doc->column};
	if (v->key->type == CONF_SECTION)
		return bind_section(v);
	if (v->key->type == CONF_SECTIONS)
		return bind_sections(v);
	return conf_value_bind(v);
}

/*
 * The same for what a profile presets. It may hold the file's own issuer, so
 * it is taken as it is, and a mistake in it is the file's.
 */
static int bind_preset(const struct conf_key *key, const char *text, const struct base_doc *map,
	void *base, struct base_diag *diag)
{
	cleanup(base_doc) struct base_doc *doc = NULL;
	cleanup(diag) struct base_diag own = {0};
	int err = 0;

	if (key->type == CONF_TEXT)
		doc = base_doc_new(BASE_DOC_SCALAR, text, map->line, map->column);
	else
		err = conf_yaml_parse(text, strlen(text), &doc, &own);
	assert(err != -EINVAL);
	if (err || !doc)
		return -ENOMEM;
	doc->line = map->line;
	doc->column = map->column;
	return bind_value(&(struct conf_value){key, doc, base, diag});
}

/* Defaults go the way of written values, so that the table cannot say what no file could. */
static int bind_fallback(const struct conf_key *key, void *base)
{
	cleanup(diag) struct base_diag diag = {0};
	cleanup(base_doc) struct base_doc *doc = NULL;
	int err = conf_yaml_parse(key->fallback, strlen(key->fallback), &doc, &diag);

	assert(err != -EINVAL);
	if (err)
		return err;
	err = bind_value(&(struct conf_value){key, doc, base, &diag});
	assert(!diag.n_found);
	return err;
}

static int bind_absent(const struct conf_section *section, const struct conf_key *key,
	const struct base_doc *map, void *base, struct base_diag *diag)
{
	char buf[CONF_PRESET];
	const char *preset = section->preset ? section->preset(map, key->name, buf) : NULL;
	const struct base_doc nothing = {
		.kind = BASE_DOC_MAP, .line = map->line, .column = map->column};

	if (key->type == CONF_SECTION)
		return conf_bind(key->section, &nothing, base, diag);
	if (preset)
		return bind_preset(key, preset, map, base, diag);
	if (key->fallback)
		return bind_fallback(key, base);
	if (key->required)
		base_diag_add(diag, map->line, map->column,
			"'%s' is missing; it takes %s, for example %s", key->name,
			conf_type_name(key->type), key->example);
	return 0;
}

static const struct conf_key *find_key(const struct conf_section *section, const char *name)
{
	for (size_t i = 0; i < section->n_keys; i++)
		if (!strcmp(section->keys[i].name, name))
			return &section->keys[i];
	return NULL;
}

static void check_known(const struct conf_section *section, const struct base_doc_entry *entry,
	struct base_diag *diag)
{
	struct conf_shown shown = conf_text_show(entry->key);
	const char *near = conf_near_key(section, entry->key);

	if (find_key(section, entry->key))
		return;
	if (near)
		base_diag_add(diag, entry->key_line, entry->key_column,
			"unknown key %s; did you mean '%s'?", shown.text, near);
	else
		base_diag_add(diag, entry->key_line, entry->key_column,
			"unknown key %s; identityd --keys lists all there are", shown.text);
}

int conf_bind(const struct conf_section *section, const struct base_doc *doc, void *base,
	struct base_diag *diag)
{
	int err = 0;

	for (size_t i = 0; i < doc->n_entries; i++)
		check_known(section, &doc->entries[i], diag);
	for (size_t i = 0; !err && i < section->n_keys; i++) {
		const struct conf_key *key = &section->keys[i];
		const struct base_doc *written = base_doc_get(doc, key->name);

		err = written ? bind_value(&(struct conf_value){key, written, base, diag})
			      : bind_absent(section, key, doc, base, diag);
	}
	return err;
}

static void clear_sections(const struct conf_key *key, void *base)
{
	void **items = at(base, key->offset);
	size_t *n = at(base, key->second);

	for (size_t i = 0; i < *n; i++)
		conf_bind_clear(key->section, at(*items, i * key->section->size));
	free(*items);
	*items = NULL;
	*n = 0;
}

void conf_bind_clear(const struct conf_section *section, void *base)
{
	for (size_t i = 0; i < section->n_keys; i++) {
		const struct conf_key *key = &section->keys[i];

		if (key->type == CONF_SECTION)
			conf_bind_clear(key->section, base);
		else if (key->type == CONF_SECTIONS)
			clear_sections(key, base);
		else
			conf_field_clear(key, base);
	}
}
