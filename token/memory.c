#include "token/memory.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <stdlib.h>

static _Thread_local bool failed;

static void *watched(void *p)
{
	if (!p)
		failed = true;
	return p;
}

static void *jansson_malloc(size_t n)
{
	return watched(malloc(n));
}

static void *openssl_malloc(size_t n, const char *file, int line)
{
	(void)file, (void)line;
	return watched(malloc(n));
}

static void *openssl_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file, (void)line;
	return watched(realloc(p, n));
}

static void openssl_free(void *p, const char *file, int line)
{
	(void)file, (void)line;
	free(p);
}

/* Before main: OpenSSL takes other functions only until its first allocation. */
__attribute__((constructor)) static void install(void)
{
	json_set_alloc_funcs(jansson_malloc, free);
	/* Where somebody came first, OpenSSL goes on unwatched: its errors are then taken as said. */
	(void)CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free);
}

void token_memory_watch(void)
{
	failed = false;
}

bool token_memory_failed(void)
{
	return failed;
}
