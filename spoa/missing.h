/*
 * No key fits a token: whose keys should be asked for before that is its
 * fault?
 */
#ifndef SPOA_MISSING_H
#define SPOA_MISSING_H

#include "spoa/case.h"

/* Is this a reason that newer keys could turn into another? */
bool spoa_missing_could_help(enum base_reason reason);

/*
 * Waits for newer keys of every provider that may have made the token, has not
 * been asked since it came and may be asked now. Else refuses: with reason if
 * all were asked, KEYS_UNAVAILABLE if one could not be. alg is the token's, -1
 * when its front did not parse.
 */
enum spoa_step spoa_missing_keys(struct spoa_case *c, int alg, enum base_reason reason);

#endif
