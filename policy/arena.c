#include "policy/arena.h"

#include <stdint.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)64 * 1024)

struct policy_block {
	struct policy_block *next;
	size_t used, size;
	max_align_t bytes[];
};

static struct policy_block *new_block(struct policy_arena *arena, size_t need)
{
	size_t size = need > BLOCK_BYTES ? need : BLOCK_BYTES;
	struct policy_block *block = calloc(1, sizeof(*block) + size);

	if (!block)
		return NULL;
	block->size = size;
	block->next = arena->blocks;
	arena->blocks = block;
	return block;
}

void *policy_arena_get(struct policy_arena *arena, size_t n, size_t size)
{
	struct policy_block *block = arena->blocks;
	size_t need;
	void *got;

	if (__builtin_mul_overflow(n, size, &need) || need > SIZE_MAX / 2)
		return NULL;
	need = (need + sizeof(max_align_t)) & ~(sizeof(max_align_t) - 1);
	if (!block || block->size - block->used < need)
		block = new_block(arena, need);
	if (!block)
		return NULL;
	got = (char *)block->bytes + block->used;
	block->used += need;
	return got;
}

char *policy_arena_text(struct policy_arena *arena, const char *p, size_t n)
{
	char *text = policy_arena_get(arena, n + 1, 1);

	if (text && n)
		memcpy(text, p, n);
	return text;
}

void policy_arena_done(struct policy_arena *arena)
{
	while (arena->blocks) {
		struct policy_block *block = arena->blocks;

		arena->blocks = block->next;
		free(block);
	}
}
