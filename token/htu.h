/*
 * Is a DPoP proof's htu the address that was asked for (RFC 9449 4.3 step 9)?
 * Compared after the normalisations of RFC 3986 6.2.2 and 6.2.3 that change no
 * meaning: case of scheme and host, the default port, an empty path, percent
 * encoding. Dot segments are not removed: HAProxy routes by the path as it is.
 */
#ifndef TOKEN_HTU_H
#define TOKEN_HTU_H

#include "base/span.h"

/* The request as HAProxy has it. */
struct token_htu {
	bool https;
	struct span host; /* of the Host field: a name or address, and maybe a port */
	struct span path; /* without the query */
};

/* htu's query and fragment are ignored; one with user information never fits. */
bool token_htu_fits(struct span htu, const struct token_htu *request);

#endif
