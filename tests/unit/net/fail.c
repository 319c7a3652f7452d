#include "tests/unit/net/fail.h"

#include <stdatomic.h>
#include <stddef.h>

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *text);

static atomic_int countdown = -1;
static atomic_int happened;

void fail_at(int n)
{
	atomic_store(&happened, 0);
	atomic_store(&countdown, n);
}

int fail_happened(void)
{
	return atomic_load(&happened);
}

static int fails(void)
{
	int left = atomic_load(&countdown);

	if (left < 0)
		return 0;
	left = atomic_fetch_sub(&countdown, 1);
	if (left == 0)
		atomic_store(&happened, 1);
	return left == 0;
}

void *__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return fails() ? NULL : __real_realloc(p, n);
}

char *__wrap_strdup(const char *text)
{
	return fails() ? NULL : __real_strdup(text);
}
