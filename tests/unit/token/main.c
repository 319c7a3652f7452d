#include "tests/unit/token/keys.h"
#include "tests/unit/token/suites.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

char *guarded(const void *bytes, size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = (n + page - 1) / page * page + page;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(p, MAP_FAILED);
	ck_assert_int_eq(mprotect(p + size - page, page, PROT_NONE), 0);
	p += size - page - n;
	if (n)
		memcpy(p, bytes, n);
	return p;
}

_Thread_local long allocations_left = -1;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);

static bool may_allocate(void)
{
	if (allocations_left < 0)
		return true;
	if (allocations_left == 0)
		return false;
	allocations_left--;
	return true;
}

void *__wrap_malloc(size_t n)
{
	return may_allocate() ? __real_malloc(n) : NULL;
}

void *__wrap_calloc(size_t n, size_t size)
{
	return may_allocate() ? __real_calloc(n, size) : NULL;
}

void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);

void *__wrap_realloc(void *p, size_t n)
{
	return may_allocate() ? __real_realloc(p, n) : NULL;
}

int main(void)
{
	SRunner *runner = srunner_create(suite_alg());
	int failed;

	/* Once, before tests fork: RSA keys are slow to make. */
	for (unsigned alg = 0; alg < TOKEN_ALGS; alg++)
		test_key_of(alg);
	srunner_add_suite(runner, suite_b64());
	srunner_add_suite(runner, suite_hash());
	srunner_add_suite(runner, suite_json());
	srunner_add_suite(runner, suite_keyset());
	srunner_add_suite(runner, suite_jws());
	srunner_add_suite(runner, suite_vectors());
	srunner_add_suite(runner, suite_claims());
	srunner_add_suite(runner, suite_verify());
	srunner_add_suite(runner, suite_threads());
	srunner_add_suite(runner, suite_discovery());
	srunner_add_suite(runner, suite_mint());
	srunner_add_suite(runner, suite_differential());
	srunner_add_suite(runner, suite_cnf());
	srunner_add_suite(runner, suite_dpop());
	srunner_add_suite(runner, suite_htu());
	srunner_add_suite(runner, suite_logout());
	srunner_add_suite(runner, suite_purpose());
	srunner_add_suite(runner, suite_oracle());
	srunner_add_suite(runner, suite_nonce());
	srunner_add_suite(runner, suite_replay());
	srunner_add_suite(runner, suite_revocation());
	srunner_add_suite(runner, suite_signer());
	srunner_add_suite(runner, suite_thumbprint());
	srunner_add_suite(runner, suite_padded());
	srunner_add_suite(runner, suite_spiffe());
	srunner_add_suite(runner, suite_issuer());
	srunner_add_suite(runner, suite_mapping());
	srunner_add_suite(runner, suite_cert());
	srunner_add_suite(runner, suite_introspection());
	srunner_add_suite(runner, suite_workload());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
