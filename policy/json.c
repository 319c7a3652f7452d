#include "policy/load.h"

#include <stdio.h>

static struct base_doc *new_scalar(const char *text, bool quoted)
{
	struct base_doc *doc = base_doc_new(BASE_DOC_SCALAR, text, 0, 0);

	if (doc)
		doc->quoted = quoted;
	return doc;
}

static struct base_doc *of_scalar(const json_t *json)
{
	char text[64];

	switch (json_typeof(json)) {
	case JSON_STRING:
		return new_scalar(json_string_value(json), true);
	case JSON_INTEGER:
		snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, json_integer_value(json));
		return new_scalar(text, false);
	case JSON_REAL:
		snprintf(text, sizeof(text), "%.17g", json_real_value(json));
		return new_scalar(text, false);
	default:
		return new_scalar(json_is_null(json)   ? "null"
				  : json_is_true(json) ? "true"
						       : "false",
			false);
	}
}

static struct base_doc *of_object(const json_t *json)
{
	cleanup(base_doc) struct base_doc *map = base_doc_new(BASE_DOC_MAP, NULL, 0, 0);
	const char *key;
	json_t *value;

	if (!map)
		return NULL;
	json_object_foreach ((json_t *)json, key, value) {
		struct base_doc *doc = policy_load_json(value);

		if (!doc || base_doc_add(map, key, 0, 0, doc))
			return NULL;
	}
	return TAKE_PTR(map);
}

static struct base_doc *of_array(const json_t *json)
{
	cleanup(base_doc) struct base_doc *list = base_doc_new(BASE_DOC_LIST, NULL, 0, 0);

	for (size_t i = 0; list && i < json_array_size(json); i++) {
		struct base_doc *doc = policy_load_json(json_array_get(json, i));

		if (!doc || base_doc_add(list, NULL, 0, 0, doc))
			return NULL;
	}
	return TAKE_PTR(list);
}

struct base_doc *policy_load_json(const json_t *json)
{
	if (json_is_object(json))
		return of_object(json);
	return json_is_array(json) ? of_array(json) : of_scalar(json);
}
