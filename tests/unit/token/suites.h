/* One suite per source file of the room, and what several of them need. */
#ifndef TESTS_TOKEN_SUITES_H
#define TESTS_TOKEN_SUITES_H

#include "base/reason.h"

#include <check.h>

Suite *suite_alg(void);
Suite *suite_hash(void);
Suite *suite_b64(void);
Suite *suite_json(void);
Suite *suite_keyset(void);
Suite *suite_jws(void);
Suite *suite_vectors(void);
Suite *suite_claims(void);
Suite *suite_verify(void);
Suite *suite_threads(void);
Suite *suite_discovery(void);
Suite *suite_mint(void);
Suite *suite_differential(void);
Suite *suite_cnf(void);
Suite *suite_dpop(void);
Suite *suite_htu(void);
Suite *suite_logout(void);
Suite *suite_purpose(void);
Suite *suite_oracle(void);
Suite *suite_nonce(void);
Suite *suite_replay(void);
Suite *suite_revocation(void);
Suite *suite_signer(void);
Suite *suite_thumbprint(void);
Suite *suite_padded(void);
Suite *suite_spiffe(void);
Suite *suite_issuer(void);
Suite *suite_mapping(void);
Suite *suite_cert(void);
Suite *suite_introspection(void);
Suite *suite_workload(void);

#define ASSERT_REASON(got, want) ck_assert_str_eq(base_reason_word(got), base_reason_word(want))

/* n bytes that end where a page ends that may not be touched; never freed. */
char *guarded(const void *bytes, size_t n);

/*
 * The n-th allocation from now fails, and all after it: ours, jansson's and
 * OpenSSL's, in this thread. -1: none.
 */
extern _Thread_local long allocations_left;

#endif
