#include "conf/yaml.h"

#include "base/utf8.h"
#include "conf/place.h"
#include "conf/text.h"
#include "conf/why.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

struct reader {
	yaml_parser_t parser;
	struct conf_yaml_limits limits;
	struct conf_place place;
	struct base_diag *diag;
};

static void cleanup_fn_reader(struct reader *r)
{
	yaml_parser_delete(&r->parser);
}

static void cleanup_fn_event(yaml_event_t *event)
{
	yaml_event_delete(event);
}

static void complain(struct reader *r, const yaml_mark_t *mark, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void complain(struct reader *r, const yaml_mark_t *mark, const char *fmt, ...)
{
	char text[sizeof(((struct base_diag_item *)0)->text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	conf_place_to_char(&r->place, mark->index);
	base_diag_add(r->diag, r->place.line, r->place.column, "%s", text);
}

static int parser_failed(struct reader *r)
{
	const yaml_parser_t *parser = &r->parser;
	bool at_start = false;
	const char *sentence = conf_why(parser->problem, &at_start);

	if (parser->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	if (parser->error != YAML_READER_ERROR) {
		complain(r, at_start ? &parser->context_mark : &parser->problem_mark, "%s",
			sentence);
		return -EINVAL;
	}
	conf_place_to_byte(&r->place, parser->problem_offset);
	base_diag_add(r->diag, r->place.line, r->place.column, "%s", sentence);
	return -EINVAL;
}

static int next(struct reader *r, yaml_event_t *event)
{
	return yaml_parser_parse(&r->parser, event) ? 0 : parser_failed(r);
}

static int new_doc(struct reader *r, const yaml_event_t *event, enum base_doc_kind kind,
	const char *text, struct base_doc **ret_doc)
{
	conf_place_to_char(&r->place, event->start_mark.index);
	*ret_doc = base_doc_new(kind, text, r->place.line, r->place.column);
	return *ret_doc ? 0 : -ENOMEM;
}

static void refuse_properties(struct reader *r, const yaml_event_t *event,
	const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor)
		complain(r, &event->start_mark, "anchors (&%.40s) are not allowed", anchor);
	if (tag)
		complain(r, &event->start_mark, "tags (%s) are not allowed",
			conf_text_show((const char *)tag).text);
}

static int read_scalar(struct reader *r, const yaml_event_t *event, struct base_doc **ret_doc)
{
	const char *text = (const char *)event->data.scalar.value;
	int err = new_doc(r, event, BASE_DOC_SCALAR, text, ret_doc);

	if (err)
		return err;
	(*ret_doc)->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	refuse_properties(r, event, event->data.scalar.anchor, event->data.scalar.tag);
	if (memchr(text, 0, event->data.scalar.length))
		complain(r, &event->start_mark, "a NUL character cannot stand in a text");
	return 0;
}

static int read_node(
	struct reader *r, const yaml_event_t *event, unsigned depth, struct base_doc **ret_doc);

static int next_node(struct reader *r, unsigned depth, struct base_doc **ret_doc)
{
	cleanup(event) yaml_event_t event = {0};
	int err = next(r, &event);

	return err ? err : read_node(r, &event, depth, ret_doc);
}

static int check_room(struct reader *r, const yaml_event_t *event, const struct base_doc *doc)
{
	if (doc->n_entries < r->limits.entries)
		return 0;
	complain(r, &event->start_mark, "more than %zu entries in one list or map",
		r->limits.entries);
	return -EINVAL;
}

/* One entry of a list; *ret_more is false at its end. */
static int read_entry(struct reader *r, struct base_doc *list, unsigned depth, bool *ret_more)
{
	cleanup(event) yaml_event_t event = {0};
	cleanup(base_doc) struct base_doc *value = NULL;
	int err = next(r, &event);

	if (err)
		return err;
	*ret_more = event.type != YAML_SEQUENCE_END_EVENT;
	if (!*ret_more)
		return 0;
	err = check_room(r, &event, list);
	if (err)
		return err;
	err = read_node(r, &event, depth, &value);
	return err ? err : base_doc_add(list, NULL, 0, 0, TAKE_PTR(value));
}

static const struct base_doc_entry *find_entry(const struct base_doc *map, const char *key)
{
	for (size_t i = 0; i < map->n_entries; i++)
		if (!strcmp(map->entries[i].key, key))
			return &map->entries[i];
	return NULL;
}

/* Complains about a key that cannot stay, and says whether it can. */
static bool key_is_good(struct reader *r, const yaml_event_t *event, const struct base_doc *map,
	const struct base_doc *key)
{
	const struct base_doc_entry *first;

	if (key->kind != BASE_DOC_SCALAR) {
		complain(r, &event->start_mark, "a key must be plain text, not %s",
			conf_text_found(key).text);
		return false;
	}
	if (!key->quoted && !strcmp(key->text, "<<")) {
		complain(r, &event->start_mark, "merge keys (<<) are not allowed");
		return false;
	}
	first = find_entry(map, key->text);
	if (first)
		complain(r, &event->start_mark, "%s is given twice, first on line %u",
			conf_text_show(key->text).text, first->key_line);
	return !first;
}

/* One key and its value; *ret_more is false at the end of the map. */
static int read_pair(struct reader *r, struct base_doc *map, unsigned depth, bool *ret_more)
{
	cleanup(event) yaml_event_t event = {0};
	cleanup(base_doc) struct base_doc *key = NULL;
	cleanup(base_doc) struct base_doc *value = NULL;
	bool good;
	int err = next(r, &event);

	if (err)
		return err;
	*ret_more = event.type != YAML_MAPPING_END_EVENT;
	if (!*ret_more)
		return 0;
	err = check_room(r, &event, map);
	if (err)
		return err;
	err = read_node(r, &event, depth, &key);
	if (err)
		return err;
	good = key_is_good(r, &event, map, key);
	err = next_node(r, depth, &value);
	if (err || !good)
		return err;
	return base_doc_add(map, key->text, key->line, key->column, TAKE_PTR(value));
}

static int read_entries(struct reader *r, const yaml_event_t *event, unsigned depth,
	enum base_doc_kind kind, struct base_doc **ret_doc)
{
	int (*read)(struct reader *, struct base_doc *, unsigned, bool *) =
		kind == BASE_DOC_LIST ? read_entry : read_pair;
	cleanup(base_doc) struct base_doc *doc = NULL;
	bool more = true;
	int err;

	if (depth == CONF_YAML_DEPTH) {
		complain(r, &event->start_mark, "more than %d lists and maps in each other",
			CONF_YAML_DEPTH);
		return -EINVAL;
	}
	err = new_doc(r, event, kind, NULL, &doc);
	while (!err && more)
		err = read(r, doc, depth + 1, &more);
	if (err)
		return err;
	*ret_doc = TAKE_PTR(doc);
	return 0;
}

/* The node that starts with this event, depth levels below the root. */
static int read_node(
	struct reader *r, const yaml_event_t *event, unsigned depth, struct base_doc **ret_doc)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return read_scalar(r, event, ret_doc);
	case YAML_SEQUENCE_START_EVENT:
		refuse_properties(r, event, event->data.sequence_start.anchor,
			event->data.sequence_start.tag);
		return read_entries(r, event, depth, BASE_DOC_LIST, ret_doc);
	case YAML_MAPPING_START_EVENT:
		refuse_properties(
			r, event, event->data.mapping_start.anchor, event->data.mapping_start.tag);
		return read_entries(r, event, depth, BASE_DOC_MAP, ret_doc);
	default:
		complain(r, &event->start_mark, "aliases (*) are not allowed");
		return new_doc(r, event, BASE_DOC_SCALAR, "", ret_doc);
	}
}

static void check_directives(struct reader *r, const yaml_event_t *document)
{
	if (document->data.document_start.version_directive ||
		document->data.document_start.tag_directives.start !=
			document->data.document_start.tag_directives.end)
		complain(r, &document->start_mark, "directives (%%) are not allowed");
}

/* Start of the stream. */
static int open_stream(struct reader *r)
{
	cleanup(event) yaml_event_t stream = {0};

	return next(r, &stream);
}

/* The next document without its end, or NULL at the end of the stream. */
static int next_document(struct reader *r, struct base_doc **ret_doc, yaml_mark_t *ret_mark)
{
	cleanup(event) yaml_event_t start = {0};
	cleanup(event) yaml_event_t end = {0};
	cleanup(base_doc) struct base_doc *doc = NULL;
	int err = next(r, &start);

	*ret_doc = NULL;
	if (err || start.type != YAML_DOCUMENT_START_EVENT)
		return err;
	check_directives(r, &start);
	*ret_mark = start.start_mark;
	err = next_node(r, 0, &doc);
	if (!err)
		err = next(r, &end);
	if (err)
		return err;
	*ret_doc = TAKE_PTR(doc);
	return 0;
}

/* What libyaml is not asked: size, NUL bytes, UTF-8. */
static int check_bytes(const char *text, size_t n, size_t max, struct base_diag *diag)
{
	struct conf_place place = conf_place_start(text, n);
	struct span left = {.p = text, .n = n};

	if (n > max) {
		base_diag_add(diag, 0, 0, "larger than %zu bytes", max);
		return -EINVAL;
	}
	while (left.n) {
		size_t len = base_utf8_next(left);

		if (!len || !left.p[0])
			break;
		left.p += len;
		left.n -= len;
	}
	if (!left.n)
		return 0;
	conf_place_to_byte(&place, n - left.n);
	base_diag_add(diag, place.line, place.column,
		left.p[0] ? "this byte is not UTF-8" : "a NUL byte cannot stand here");
	return -EINVAL;
}

static int open_text(struct reader *r, const char *text, size_t n)
{
	int err = check_bytes(text, n, r->limits.bytes, r->diag);

	if (err)
		return err;
	if (!yaml_parser_initialize(&r->parser))
		return -ENOMEM;
	/* Said, not guessed: a BOM must not turn the file into UTF-16. */
	yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r->parser, (const unsigned char *)text, n);
	return open_stream(r);
}

int conf_yaml_parse(const char *text, size_t n, struct base_doc **ret_doc, struct base_diag *diag)
{
	cleanup(reader) struct reader r = {.place = conf_place_start(text, n),
		.limits = {CONF_YAML_BYTES, CONF_YAML_ENTRIES},
		.diag = diag};
	cleanup(base_doc) struct base_doc *doc = NULL;
	cleanup(base_doc) struct base_doc *second = NULL;
	size_t found = diag->n_found;
	yaml_mark_t mark;
	int err = open_text(&r, text, n);

	if (!err)
		err = next_document(&r, &doc, &mark);
	if (!err && !doc)
		base_diag_add(diag, 1, 1, "there is nothing in this file");
	if (!err && doc)
		err = next_document(&r, &second, &mark);
	if (err)
		return err;
	if (second)
		complain(&r, &mark, "a second document starts here; only one is read");
	if (diag->n_found != found)
		return -EINVAL;
	*ret_doc = TAKE_PTR(doc);
	return 0;
}

static bool is_nothing(const struct base_doc *doc)
{
	return doc->kind == BASE_DOC_SCALAR && !doc->quoted && !doc->text[0];
}

static int add_documents(struct reader *r, struct base_doc *docs)
{
	cleanup(base_doc) struct base_doc *doc = NULL;
	yaml_mark_t mark;
	int err = next_document(r, &doc, &mark);

	while (!err && doc) {
		if (!is_nothing(doc))
			err = base_doc_add(docs, NULL, 0, 0, TAKE_PTR(doc));
		base_doc_free(TAKE_PTR(doc));
		if (!err)
			err = next_document(r, &doc, &mark);
	}
	return err;
}

int conf_yaml_documents(const char *text, size_t n, const struct conf_yaml_limits *limits,
	struct base_doc **ret_docs, struct base_diag *diag)
{
	cleanup(reader) struct reader r = {
		.place = conf_place_start(text, n), .limits = *limits, .diag = diag};
	cleanup(base_doc) struct base_doc *docs = base_doc_new(BASE_DOC_LIST, NULL, 1, 1);
	size_t found = diag->n_found;
	int err = docs ? open_text(&r, text, n) : -ENOMEM;

	if (!err)
		err = add_documents(&r, docs);
	if (err)
		return err;
	if (diag->n_found != found)
		return -EINVAL;
	*ret_docs = TAKE_PTR(docs);
	return 0;
}
