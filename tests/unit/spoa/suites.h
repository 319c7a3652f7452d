/* One suite per source file of the room. */
#ifndef TESTS_SPOA_SUITES_H
#define TESTS_SPOA_SUITES_H

#include <check.h>

/* X(source file): one suite each. notify.c and park.c are in conn and worker, reload.c in the
 * end-to-end tests, the stages of a decision in decide, wanted.c and numbers_made.c in numbers. */
/* clang-format off */
#define SPOA_SUITES(X) \
	X(request) \
	X(decide) \
	X(policy) \
	X(caller) \
	X(match) \
	X(numbers) \
	X(retire) \
	X(cache) \
	X(answer) \
	X(service) \
	X(session) \
	X(fragment) \
	X(refusal) \
	X(conn) \
	X(worker) \
	X(source) \
	X(unknown) \
	X(inquiry) \
	X(results) \
	X(introspect) \
	X(introspected) \
	X(enforce) \
	X(filter) \
	X(listen) \
	X(log) \
	X(metrics) \
	X(status) \
	X(watch) \
	X(config) \
	X(snapshot) \
	X(keys) \
	X(privilege) \
	X(cert) \
	X(provider) \
	X(export) \
	X(explain) \
	X(profiles) \
	X(access) \
	X(stream) \
	X(tls) \
	X(http) \
	X(haproxy) \
	X(workload) \
	X(workload_rules) \
	X(workloads) \
	X(http_guard) \
	X(audit_headers) \
	X(recent) \
	X(assertion) \
	X(kernel_policy) \
	X(keyring) \
	X(memo) \
	X(minted) \
	X(challenge) \
	X(form) \
	X(logout) \
	X(proof) \
	X(revoke) \
	X(public)
/* clang-format on */

#define X(name) Suite *suite_##name(void);
SPOA_SUITES(X)
#undef X

#endif
