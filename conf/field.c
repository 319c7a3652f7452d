#include "conf/field.h"

#include "conf/conf.h"

#include <string.h>

static bool is_text(const struct conf_key *key)
{
	return key->type == CONF_TEXT || key->type == CONF_NAME || key->type == CONF_PATH ||
	       key->type == CONF_ADDRESS;
}

static void clear_texts(struct conf_strings *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->items[i]);
	free(list->items);
}

void conf_field_clear(const struct conf_key *key, void *base)
{
	char *field = (char *)base + key->offset;

	if (is_text(key))
		free(*(char **)field);
	if (key->type == CONF_TEXTS)
		clear_texts((struct conf_strings *)field);
	memset(field, 0, key->width);
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool same_texts(const struct conf_strings *a, const struct conf_strings *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->items[i], b->items[i]))
			return false;
	return true;
}

/* The port of an address, the number of ports: 0 where there is no second field. */
static size_t second(const struct conf_key *key, const char *base)
{
	if (key->type == CONF_ADDRESS)
		return *(const uint16_t *)(base + key->second);
	return key->type == CONF_PORTS ? *(const size_t *)(base + key->second) : 0;
}

bool conf_field_same(const struct conf_key *key, const void *a, const void *b)
{
	const char *x = (const char *)a + key->offset, *y = (const char *)b + key->offset;

	if (second(key, a) != second(key, b))
		return false;
	if (is_text(key))
		return same_text(*(char *const *)x, *(char *const *)y);
	if (key->type == CONF_TEXTS)
		return same_texts((const struct conf_strings *)x, (const struct conf_strings *)y);
	/* Numbers, and ports, whose unused places are zero. */
	return !memcmp(x, y, key->width);
}
