#include "spoa/export.h"

#include "base/wr.h"
#include "token/json.h"
#include "token/mapping.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static size_t find(const struct spoa_exports *exports, const char *name)
{
	size_t i = 0;

	while (i < exports->n && strcmp(exports->names[i], name) != 0)
		i++;
	return i;
}

static void add_name(struct spoa_exports *exports, const char *name)
{
	size_t i = find(exports, name);

	exports->names[i] = name;
	exports->n += i == exports->n;
}

static void add_names(struct spoa_exports *exports, const struct conf *conf)
{
	for (size_t i = 0; i < conf->exports.n; i++)
		add_name(exports, conf->exports.items[i]);
	for (size_t i = 0; i < conf->n_providers; i++)
		for (size_t k = 0; k < conf->providers[i].n_exports; k++)
			add_name(exports, conf->providers[i].exports[k].name);
}

/* The provider's own place for it, else the claim of that name where all providers export it. */
static void set_paths(
	struct spoa_exports *exports, const struct conf *conf, const struct conf_provider *provider)
{
	struct token_path *paths =
		exports->paths + exports->n * (size_t)(provider - conf->providers);

	for (size_t i = 0; i < conf->exports.n; i++)
		paths[find(exports, conf->exports.items[i])] =
			(struct token_path){(const char *const *)&conf->exports.items[i], 1};
	for (size_t i = 0; i < provider->n_exports; i++) {
		const struct conf_strings *claim = &provider->exports[i].claim;

		paths[find(exports, provider->exports[i].name)] =
			(struct token_path){(const char *const *)claim->items, claim->n};
	}
}

int spoa_exports_compile(const struct conf *conf, struct spoa_exports *ret_exports)
{
	struct spoa_exports exports = {0};
	size_t most = conf->exports.n;

	for (size_t i = 0; i < conf->n_providers; i++)
		most += conf->providers[i].n_exports;
	exports.names = calloc(most + 1, sizeof(*exports.names));
	if (!exports.names)
		return -ENOMEM;
	add_names(&exports, conf);
	exports.variables = calloc(exports.n + 1, sizeof(*exports.variables));
	exports.paths = calloc(exports.n * conf->n_providers + 1, sizeof(*exports.paths));
	if (!exports.variables || !exports.paths) {
		spoa_exports_done(&exports);
		return -ENOMEM;
	}
	/* conf allows 40 characters, so "txn.ident.claim_NAME" fits HAProxy's 63. */
	for (size_t i = 0; i < exports.n; i++)
		snprintf(exports.variables[i], sizeof(*exports.variables), "claim_%s",
			exports.names[i]);
	for (size_t i = 0; i < conf->n_providers; i++)
		set_paths(&exports, conf, &conf->providers[i]);
	*ret_exports = exports;
	return 0;
}

void spoa_exports_done(struct spoa_exports *exports)
{
	free(exports->names);
	free(exports->variables);
	free(exports->paths);
	*exports = (struct spoa_exports){0};
}

/* A claim may become a header (RFC 9110 5.5), so one with control bytes is not handed on. */
static bool is_printable(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
			return false;
	return true;
}

/* a,b,c: 0 when it cannot be told apart again, or does not fit. */
static size_t join(const json_t *list, char buf[SPOA_EXPORT_TEXT])
{
	struct wr w = wr_of(buf, SPOA_EXPORT_TEXT);

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);
		struct span text = token_json_text_of(item);

		if (!text.n || !is_printable(text) || memchr(text.p, ',', text.n))
			return 0;
		if (i)
			wr_u8(&w, ',');
		wr_bytes(&w, text.p, text.n);
	}
	return w.bad ? 0 : wr_len(&w);
}

struct spop_data spoa_export_value(const struct spoa_exports *exports, size_t i, size_t provider,
	const json_t *claims, char buf[SPOA_EXPORT_TEXT])
{
	const struct token_path *path = &exports->paths[exports->n * provider + i];
	const json_t *claim = path->n ? token_mapping_at(claims, path) : NULL;
	size_t n;

	if (json_is_string(claim) && is_printable(token_json_text_of(claim)))
		return (struct spop_data){.type = SPOP_STR, .text = token_json_text_of(claim)};
	if (json_is_integer(claim))
		return (struct spop_data){.type = SPOP_INT64, .sint = json_integer_value(claim)};
	if (json_is_boolean(claim))
		return (struct spop_data){.type = SPOP_BOOL, .boolean = json_is_true(claim)};
	n = join(claim, buf);
	if (n)
		return (struct spop_data){.type = SPOP_STR, .text = {buf, n}};
	return (struct spop_data){.type = SPOP_NULL};
}
