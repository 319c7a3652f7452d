/* Allocations of our own objects that fail on demand; libraries are not touched. */
#ifndef TESTS_UNIT_NET_FAIL_H
#define TESTS_UNIT_NET_FAIL_H

/* The n-th allocation from now on (from 0) fails, once, in whichever thread; -1: none. */
void fail_at(int n);

/* Did the failure of the last fail_at happen? */
int fail_happened(void);

#endif
