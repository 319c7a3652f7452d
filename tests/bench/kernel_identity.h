/* Part of bench_kernel: identities that appear and go, at full size. */
#ifndef TESTS_BENCH_KERNEL_IDENTITY_H
#define TESTS_BENCH_KERNEL_IDENTITY_H

/* Within a test's fixture (tests/unit/bpfmap/kernel.h). 1: a goal is missed. */
int bench_kernel_identity(void);

#endif
