/*
 * An identity provider on loopback that answers what the test says: discovery
 * at the usual place, keys at /keys. One thread, one request at a time.
 */
#ifndef TESTS_SPOA_IDP_H
#define TESTS_SPOA_IDP_H

struct idp;

struct idp *idp_start(void);
void idp_stop(struct idp *idp);
int idp_port(const struct idp *idp);

/* What is answered from now on; body NULL: the connection just closes. */
void idp_keys(struct idp *idp, int status, const char *body);
void idp_discovery(struct idp *idp, const char *body);

/* Header lines that answers with keys carry, each with its line end; "" for none. */
void idp_headers(struct idp *idp, const char *lines);

/* The head of the last request (malloc, the caller's). */
char *idp_last_head(struct idp *idp);

/* Requests for keys, at /keys and below, so far. */
unsigned idp_hits(struct idp *idp);

#endif
