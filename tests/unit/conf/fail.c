#include "fail.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static long left = -1;
static bool failed, libyaml_failed;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_reallocarray(void *p, size_t n, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
char *__wrap_strdup(const char *text);
void *yaml_malloc(size_t n);
void *yaml_realloc(void *p, size_t n);
char *yaml_strdup(const char *text);

static bool now(void)
{
	if (left < 0 || left-- > 0)
		return false;
	failed = true;
	errno = ENOMEM;
	return true;
}

static bool now_in_libyaml(void)
{
	bool yes = now();

	libyaml_failed = libyaml_failed || yes;
	return yes;
}

void fail_after(long n)
{
	left = n;
	failed = false;
}

bool fail_stop(void)
{
	left = -1;
	return failed;
}

bool fail_reached_libyaml(void)
{
	return libyaml_failed;
}

void *__wrap_malloc(size_t n)
{
	return now() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return now() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return now() ? NULL : __real_realloc(p, n);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return now() ? NULL : __real_reallocarray(p, n, size);
}

char *__wrap_strdup(const char *text)
{
	return now() ? NULL : __real_strdup(text);
}

/* libyaml calls these three through its own symbols, which a program may replace. */
void *yaml_malloc(size_t n)
{
	return now_in_libyaml() ? NULL : __real_malloc(n ? n : 1);
}

void *yaml_realloc(void *p, size_t n)
{
	return now_in_libyaml() ? NULL : __real_realloc(p, n ? n : 1);
}

char *yaml_strdup(const char *text)
{
	return !text || now_in_libyaml() ? NULL : __real_strdup(text);
}
