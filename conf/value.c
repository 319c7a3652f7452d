#include "conf/value.h"

#include "conf/conf.h"
#include "conf/scalar.h"
#include "conf/text.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 1024 /* bytes of one entry of a list */

static void *at(void *base, size_t offset)
{
	return (char *)base + offset;
}

/* What a key takes, for messages: its words, or the name of its type. */
static void describe(const struct conf_key *key, char *out, size_t size)
{
	bool only_true = key->type == CONF_BOOL && key->min == 1;
	size_t n = (size_t)snprintf(
		out, size, "%s", only_true ? "only true" : conf_type_name(key->type));

	if (!key->words)
		return;
	n += (size_t)snprintf(out + n, size - n, " out of ");
	conf_text_words(key->words, out + n, size - n);
}

int conf_value_wrong(const struct conf_value *v, const struct base_doc *doc)
{
	const char *example = v->key->example ? v->key->example : v->key->fallback;
	bool quoted = doc->kind == BASE_DOC_SCALAR && doc->quoted;
	char takes[112];

	describe(v->key, takes, sizeof(takes));
	base_diag_add(v->diag, doc->line, doc->column, "'%s' %s %s%s; it takes %s%s%s",
		v->key->name, doc == v->doc ? "is" : "has", conf_text_found(doc).text,
		quoted ? " in quotes" : "", takes, example ? ", for example " : "",
		example ? example : "");
	return 0;
}

bool conf_value_in_range(
	const struct conf_value *v, enum conf_type type, const char *unit, int64_t value)
{
	char limit[CONF_SCALAR_TEXT];
	bool low = value < v->key->min;

	if (!low && value <= v->key->max)
		return true;
	conf_scalar_format(type, low ? v->key->min : v->key->max, limit);
	base_diag_add(v->diag, v->doc->line, v->doc->column, "'%s' is too %s: at %s %s%s",
		v->key->name, low ? "small" : "large", low ? "least" : "most", limit, unit);
	return false;
}

static void store(const struct conf_value *v, int64_t value)
{
	void *field = at(v->base, v->key->offset);

	if (v->key->type == CONF_BOOL)
		*(bool *)field = value;
	else if (v->key->width == sizeof(uint32_t))
		*(uint32_t *)field = (uint32_t)value;
	else
		*(int64_t *)field = value;
}

static int bind_number(const struct conf_value *v)
{
	bool strict = v->key->type == CONF_BOOL || v->key->type == CONF_INT;
	int64_t number = 0;
	int err;

	if (v->doc->kind != BASE_DOC_SCALAR || (strict && v->doc->quoted))
		return conf_value_wrong(v, v->doc);
	err = conf_scalar_parse(v->key->type, v->doc->text, &number);
	if (err == -EINVAL)
		return conf_value_wrong(v, v->doc);
	if (err)
		number = v->doc->text[0] == '-' ? INT64_MIN : INT64_MAX;
	if (v->key->type == CONF_BOOL && number < v->key->min)
		return conf_value_wrong(v, v->doc);
	if (conf_value_in_range(v, v->key->type, "", number))
		store(v, number);
	return 0;
}

static int bind_enum(const struct conf_value *v)
{
	int place = v->doc->kind == BASE_DOC_SCALAR ? conf_scalar_word(v->key->words, v->doc->text)
						    : -1;

	if (place < 0)
		return conf_value_wrong(v, v->doc);
	store(v, place);
	return 0;
}

/* Is it text at all? Complains otherwise. */
static bool is_text(const struct conf_value *v, const struct base_doc *doc)
{
	if (doc->kind != BASE_DOC_SCALAR || !doc->text[0]) {
		conf_value_wrong(v, doc);
		return false;
	}
	if (!conf_text_has_control(doc->text))
		return true;
	base_diag_add(v->diag, doc->line, doc->column, "%s holds a control character",
		conf_text_show(doc->text).text);
	return false;
}

static bool has_form(const struct conf_key *key, const char *text)
{
	if (key->type == CONF_NAME)
		return !text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-")];
	return key->type != CONF_PATH || text[0] == '/';
}

static int bind_text(const struct conf_value *v)
{
	char **field = at(v->base, v->key->offset);

	if (!is_text(v, v->doc))
		return 0;
	if (!has_form(v->key, v->doc->text))
		return conf_value_wrong(v, v->doc);
	if (!conf_value_in_range(v, CONF_INT, " bytes", (int64_t)strlen(v->doc->text)))
		return 0;
	*field = strdup(v->doc->text);
	return *field ? 0 : -ENOMEM;
}

static int add_text(struct conf_strings *list, const char *text)
{
	char **grown = reallocarray(list->items, list->n + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	list->items = grown;
	grown[list->n] = strdup(text);
	if (!grown[list->n])
		return -ENOMEM;
	list->n++;
	return 0;
}

static int bind_list_text(const struct conf_value *v, const struct base_doc *doc)
{
	if (!is_text(v, doc))
		return 0;
	if (v->key->words && conf_scalar_word(v->key->words, doc->text) < 0)
		return conf_value_wrong(v, doc);
	if (strlen(doc->text) > TEXT_MAX) {
		base_diag_add(v->diag, doc->line, doc->column,
			"an entry of '%s' is too large: at most %d bytes", v->key->name, TEXT_MAX);
		return 0;
	}
	return add_text(at(v->base, v->key->offset), doc->text);
}

/* Calls for each entry of a list, or once for a scalar that stands for a list of one. */
static int each(
	const struct conf_value *v, int (*bind)(const struct conf_value *, const struct base_doc *))
{
	int err = 0;

	if (v->doc->kind == BASE_DOC_SCALAR)
		return conf_value_in_range(v, CONF_INT, " entries", 1) ? bind(v, v->doc) : 0;
	if (v->doc->kind == BASE_DOC_MAP)
		return conf_value_wrong(v, v->doc);
	if (!conf_value_in_range(v, CONF_INT, " entries", (int64_t)v->doc->n_entries))
		return 0;
	for (size_t i = 0; !err && i < v->doc->n_entries; i++)
		err = bind(v, v->doc->entries[i].value);
	return err;
}

static int bind_texts(const struct conf_value *v)
{
	/* Several rows may lead to one field (any, all, equals): then conf_check refuses the file. */
	return each(v, bind_list_text);
}

static int bind_port(const struct conf_value *v, const struct base_doc *doc)
{
	uint16_t *ports = at(v->base, v->key->offset);
	size_t *n = at(v->base, v->key->second);
	int64_t port = 0;

	if (doc->kind != BASE_DOC_SCALAR || doc->quoted ||
		conf_scalar_parse(CONF_INT, doc->text, &port) || port < 1 || port > 65535)
		return conf_value_wrong(v, doc);
	for (size_t i = 0; i < *n; i++)
		if (ports[i] == port) {
			base_diag_add(v->diag, doc->line, doc->column, "port %s is given twice",
				doc->text);
			return 0;
		}
	ports[(*n)++] = (uint16_t)port;
	return 0;
}

static int bind_ports(const struct conf_value *v)
{
	return each(v, bind_port);
}

static int bind_address(const struct conf_value *v)
{
	char **field = at(v->base, v->key->offset);
	char host[CONF_SCALAR_HOST];

	if (v->doc->kind != BASE_DOC_SCALAR ||
		conf_scalar_address(v->doc->text, host, at(v->base, v->key->second)))
		return conf_value_wrong(v, v->doc);
	*field = strdup(host);
	return *field ? 0 : -ENOMEM;
}

int conf_value_bind(const struct conf_value *v)
{
	static int (*const BINDERS[CONF_TYPES])(const struct conf_value *) = {
		[CONF_BOOL] = bind_number,
		[CONF_INT] = bind_number,
		[CONF_DURATION] = bind_number,
		[CONF_SIZE] = bind_number,
		[CONF_MODE] = bind_number,
		[CONF_ENUM] = bind_enum,
		[CONF_TEXT] = bind_text,
		[CONF_NAME] = bind_text,
		[CONF_PATH] = bind_text,
		[CONF_TEXTS] = bind_texts,
		[CONF_PORTS] = bind_ports,
		[CONF_ADDRESS] = bind_address,
	};

	assert(BINDERS[v->key->type]);
	return BINDERS[v->key->type](v);
}
