#include "policy/names.h"

#include <errno.h>
#include <string.h>

static uint32_t hash_of(struct span text)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < text.n; i++)
		hash = (hash ^ (unsigned char)text.p[i]) * 16777619u;
	return hash;
}

/* Where the text is, or the free slot where it would be. There is always a free one. */
static uint32_t *slot_of(const struct policy_names *names, struct span text)
{
	uint32_t at = hash_of(text) & (names->n_slots - 1);

	while (names->slots[at] && !span_is(text, names->texts[names->slots[at]]))
		at = (at + 1) & (names->n_slots - 1);
	return &names->slots[at];
}

static int grow(struct policy_names *names)
{
	struct policy_names next = *names;
	const char **texts;

	next.room = names->room ? names->room * 2 : 256;
	next.n_slots = next.room * 2;
	texts = reallocarray(names->texts, next.room, sizeof(*texts));
	if (!texts)
		return -ENOMEM;
	names->texts = next.texts = texts;
	next.slots = calloc(next.n_slots, sizeof(*next.slots));
	if (!next.slots)
		return -ENOMEM;
	for (uint32_t i = 1; i <= names->n; i++)
		*slot_of(&next, span_of(texts[i])) = i;
	free(names->slots);
	*names = next;
	return 0;
}

int policy_names_add(struct policy_names *names, struct policy_arena *arena, struct span text,
	uint32_t *ret_name)
{
	uint32_t found = policy_names_find(names, text);
	char *copy;

	if (found != POLICY_NAME_OTHER) {
		*ret_name = found;
		return 0;
	}
	if (names->n + 1 >= names->room && grow(names))
		return -ENOMEM;
	copy = policy_arena_text(arena, text.p, text.n);
	if (!copy)
		return -ENOMEM;
	names->texts[names->n + 1] = copy;
	*slot_of(names, text) = ++names->n;
	*ret_name = names->n;
	return 0;
}

uint32_t policy_names_find(const struct policy_names *names, struct span text)
{
	uint32_t found = names->n_slots ? *slot_of(names, text) : 0;

	return found ? found : POLICY_NAME_OTHER;
}

const char *policy_names_text(const struct policy_names *names, uint32_t name)
{
	return name && name <= names->n ? names->texts[name] : "";
}

void policy_names_done(struct policy_names *names)
{
	free(names->texts);
	free(names->slots);
	*names = (struct policy_names){0};
}
