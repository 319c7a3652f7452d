/*
 * The request about one token (RFC 7662 2.1): its body, and how we say who we
 * are (RFC 6749 2.3.1, RFC 8705 2). Texts hold secrets: whoever gets one
 * wipes it.
 */
#ifndef SPOA_INQUIRY_H
#define SPOA_INQUIRY_H

#include "base/mem.h"
#include "base/span.h"
#include "conf/conf.h"

/*
 * *ret_body is application/x-www-form-urlencoded, *ret_authorization a header
 * line or NULL; both malloc, end with spoa_inquiry_wipe. The secret's file is read
 * now. 0; -errno with a sentence in why.
 */
int spoa_inquiry_make(const struct conf_introspection *how, struct span token, char **ret_body,
	char **ret_authorization, char why[200]) must_check;

/* Overwrites and frees; NULL is fine. */
void spoa_inquiry_wipe(char *text);

DEFINE_CLEANUP(spoa_inquiry, char *, spoa_inquiry_wipe)

#endif
