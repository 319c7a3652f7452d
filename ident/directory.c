#include "ident/directory.h"

#include "ident/labels.h"
#include "ident/number.h"

#include <errno.h>
#include <jansson.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row {
	uint32_t number;
	uint32_t at, n; /* in text */
};

struct ident_directory {
	atomic_uint refs;
	size_t n;
	struct row *rows; /* by number */
	char *text;
};

struct sorting {
	struct ident_directory_entry entry;
	size_t place;
};

static int by_number(const void *a, const void *b)
{
	const struct sorting *x = a, *y = b;

	if (x->entry.number != y->entry.number)
		return x->entry.number < y->entry.number ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

/* Sorted; of equal numbers only the one that came last. */
static size_t sort(const struct ident_directory_entry *entries, size_t n, struct sorting *sorted)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		sorted[i] = (struct sorting){entries[i], i};
	qsort(sorted, n, sizeof(*sorted), by_number);
	for (size_t i = 0; i < n; i++)
		if (i + 1 == n || sorted[i].entry.number != sorted[i + 1].entry.number)
			sorted[kept++] = sorted[i];
	return kept;
}

static size_t text_bytes(const struct sorting *sorted, size_t n)
{
	size_t bytes = 0;

	for (size_t i = 0; i < n; i++)
		bytes += strlen(sorted[i].entry.labels);
	return bytes;
}

int ident_directory_new(
	const struct ident_directory_entry *entries, size_t n, struct ident_directory **ret)
{
	cleanup(ident_directory) struct ident_directory *directory = calloc(1, sizeof(*directory));
	cleanup(free) struct sorting *sorted = calloc(n + 1, sizeof(*sorted));
	size_t at = 0;

	if (!directory || !sorted)
		return -ENOMEM;
	atomic_init(&directory->refs, 1);
	directory->n = sort(entries, n, sorted);
	directory->rows = calloc(directory->n + 1, sizeof(*directory->rows));
	directory->text = malloc(text_bytes(sorted, directory->n) + 1);
	if (!directory->rows || !directory->text)
		return -ENOMEM;
	for (size_t i = 0; i < directory->n; i++) {
		size_t len = strlen(sorted[i].entry.labels);

		memcpy(directory->text + at, sorted[i].entry.labels, len);
		directory->rows[i] =
			(struct row){sorted[i].entry.number, (uint32_t)at, (uint32_t)len};
		at += len;
	}
	*ret = TAKE_PTR(directory);
	return 0;
}

struct ident_directory *ident_directory_ref(struct ident_directory *directory)
{
	if (directory)
		atomic_fetch_add_explicit(&directory->refs, 1, memory_order_relaxed);
	return directory;
}

void ident_directory_unref(struct ident_directory *directory)
{
	if (!directory || atomic_fetch_sub_explicit(&directory->refs, 1, memory_order_acq_rel) != 1)
		return;
	free(directory->rows);
	free(directory->text);
	free(directory);
}

size_t ident_directory_count(const struct ident_directory *directory)
{
	return directory ? directory->n : 0;
}

struct span ident_directory_find(const struct ident_directory *directory, uint32_t number)
{
	size_t from = 0, to = ident_directory_count(directory);

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		const struct row *row = &directory->rows[middle];

		if (row->number == number)
			return (struct span){directory->text + row->at, row->n};
		if (row->number < number)
			from = middle + 1;
		else
			to = middle;
	}
	return (struct span){0};
}

/* Labels as somebody else's program prints them, on their way to canonical text. */
struct labels {
	struct ident_label items[IDENT_LABELS_MAX];
	size_t n;
	char text[2 * IDENT_LABELS_TEXT_MAX];
	size_t used;
};

static bool add_part(struct labels *labels, const char *from, size_t n, const char **ret)
{
	if (n >= sizeof(labels->text) - labels->used)
		return false;
	memcpy(labels->text + labels->used, from, n);
	labels->text[labels->used + n] = '\0';
	*ret = labels->text + labels->used;
	labels->used += n + 1;
	return true;
}

/* "source:key", and the value. */
static bool add_label(struct labels *labels, struct span name, struct span value)
{
	const char *colon = name.n ? memchr(name.p, ':', name.n) : NULL;
	struct ident_label *to = &labels->items[labels->n];
	size_t source = colon ? (size_t)(colon - name.p) : 0;

	if (!colon || labels->n == IDENT_LABELS_MAX ||
		memchr(value.n ? value.p : "", '\0', value.n))
		return false;
	labels->n++;
	return add_part(labels, name.p, source, &to->source) &&
	       add_part(labels, colon + 1, name.n - source - 1, &to->key) &&
	       add_part(labels, value.n ? value.p : "", value.n, &to->value);
}

static struct span text_of(const json_t *string)
{
	return (struct span){json_string_value(string), json_string_length(string)};
}

static bool read_list(const json_t *list, struct labels *labels)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item) {
		struct span text = text_of(item);
		const char *equals = text.n ? memchr(text.p, '=', text.n) : NULL;
		size_t n = equals ? (size_t)(equals - text.p) : text.n;

		if (!add_label(labels, (struct span){text.p, n},
			    (struct span){text.p + n + 1, equals ? text.n - n - 1 : 0}))
			return false;
	}
	return labels->n;
}

static bool read_object(const json_t *object, struct labels *labels)
{
	const char *key;
	const json_t *value;

	json_object_foreach ((json_t *)object, key, value)
		if (!json_is_string(value) || !add_label(labels, span_of(key), text_of(value)))
			return false;
	return labels->n;
}

/* A number that is a workload's or an edge's own, or 0. */
static uint32_t number_of(const json_t *value)
{
	const char *text = json_string_value(value);
	json_int_t number = json_integer_value(value);
	char *end;

	if (text) {
		number = *text >= '1' && *text <= '9' ? strtoll(text, &end, 10) : 0;
		if (!number || *end)
			return 0;
	}
	if (number <= 0 || number > IDENT_GLOBAL_MAX)
		return 0;
	return ident_range_of((uint32_t)number) == IDENT_RANGE_RESERVED ? 0 : (uint32_t)number;
}

/* 1 and an entry whose labels are the caller's; 0: left out; -ENOMEM. */
static int read_identity(
	const json_t *item, bool kubectl, struct labels *work, struct ident_directory_entry *to)
{
	const json_t *id = kubectl ? json_object_get(json_object_get(item, "metadata"), "name")
				   : json_object_get(item, "id");
	const json_t *labels = json_object_get(item, kubectl ? "security-labels" : "labels");
	char *text = NULL;
	char why[160];
	int rc;

	*work = (struct labels){0};
	to->number = number_of(id);
	if (!to->number || !(kubectl ? read_object : read_list)(labels, work))
		return 0;
	rc = ident_labels_canonical(work->items, work->n, &text, why);
	to->labels = text;
	return rc == -ENOMEM ? rc : rc == 0;
}

static int read_all(const json_t *list, bool kubectl, struct ident_directory_entry *entries,
	size_t *n, struct labels *work)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item) {
		int rc = read_identity(item, kubectl, work, &entries[*n]);

		if (rc < 0)
			return rc;
		*n += (size_t)rc;
	}
	return 0;
}

int ident_directory_parse(
	struct span json, struct ident_directory **ret, size_t *ret_skipped, char why[160])
{
	json_error_t error;
	json_t *root = json_loadb(json.p, json.n, JSON_REJECT_DUPLICATES, &error);
	const json_t *items = json_object_get(root, "items");
	const json_t *list = items ? items : root;
	cleanup(free) struct labels *work = malloc(sizeof(*work));
	struct ident_directory_entry *entries = calloc(json_array_size(list) + 1, sizeof(*entries));
	size_t n = 0;
	int rc = work && entries ? 0 : -ENOMEM;

	if (!rc && !root) {
		snprintf(why, 160, "line %d: %.120s", error.line, error.text);
		rc = -EBADMSG;
	} else if (!rc && !json_is_array(list)) {
		snprintf(why, 160, "neither a list of identities nor an object with items");
		rc = -EBADMSG;
	} else if (!rc && json_array_size(list) > IDENT_DIRECTORY_MAX) {
		snprintf(why, 160, "more than %d identities", IDENT_DIRECTORY_MAX);
		rc = -E2BIG;
	}
	if (!rc)
		rc = read_all(list, items != NULL, entries, &n, work);
	if (!rc)
		rc = ident_directory_new(entries, n, ret);
	if (!rc)
		*ret_skipped = json_array_size(list) - n;
	for (size_t i = 0; entries && i < n; i++)
		free((char *)entries[i].labels);
	free(entries);
	json_decref(root);
	return rc;
}
