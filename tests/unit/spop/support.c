#include "tests/unit/spop/support.h"

#include "base/mem.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define ROOM_BEFORE (128 * 1024)

struct span guarded(const void *p, size_t n)
{
	static char *end;

	if (!end) {
		size_t page = (size_t)sysconf(_SC_PAGESIZE);
		char *at = mmap(NULL, ROOM_BEFORE + page, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		ck_assert_ptr_ne(at, MAP_FAILED);
		end = at + ROOM_BEFORE;
		ck_assert_int_eq(mprotect(end, page, PROT_NONE), 0);
	}
	ck_assert_uint_le(n, ROOM_BEFORE);
	if (n)
		memmove(end - n, p, n);
	return (struct span){.p = end - n, .n = n};
}

static int digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = memchr(digits, c, 16);

	return at ? (int)(at - digits) : -1;
}

struct span hex(const char *text)
{
	static char ring[16][1024];
	static unsigned next;
	char *to = ring[next++ % ARRAY_SIZE(ring)];
	size_t n = 0;

	for (; *text; text++) {
		if (*text == ' ')
			continue;
		ck_assert_int_ge(digit(text[0]), 0);
		ck_assert_int_ge(digit(text[1]), 0);
		ck_assert_uint_lt(n, sizeof(ring[0]));
		to[n++] = (char)(digit(text[0]) << 4 | digit(text[1]));
		text++;
	}
	return (struct span){.p = to, .n = n};
}

bool data_equal(const struct spop_data *a, const struct spop_data *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case SPOP_NULL:
		return true;
	case SPOP_BOOL:
		return a->boolean == b->boolean;
	case SPOP_INT32:
	case SPOP_INT64:
		return a->sint == b->sint;
	case SPOP_UINT32:
	case SPOP_UINT64:
		return a->uint == b->uint;
	case SPOP_IPV4:
	case SPOP_IPV6:
		return memcmp(a->ip, b->ip, 16) == 0;
	default:
		return span_eq(a->text, b->text);
	}
}

struct span written(const struct wr *w)
{
	return (struct span){.p = (const char *)w->start, .n = wr_len(w)};
}
