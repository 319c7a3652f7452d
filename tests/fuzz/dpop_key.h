/* The thumbprint of the key of fuzz_dpop's corpus. */
#ifndef TESTS_FUZZ_DPOP_KEY_H
#define TESTS_FUZZ_DPOP_KEY_H

#define DPOP_JKT "i1russreuqYKNwO7BGjL5r6u5UHyRVbcfKWUIol6_Oc"

#endif
