#include "token/x509.h"

#include "token/cert.h"

X509 *token_x509_next(struct span *der)
{
	const unsigned char *at = (const unsigned char *)der->p;
	long n = der->n > TOKEN_CERT_MAX ? TOKEN_CERT_MAX : (long)der->n;
	X509 *cert = n ? d2i_X509(NULL, &at, n) : NULL;

	if (!cert)
		return NULL;
	n = (long)((const char *)at - der->p);
	*der = (struct span){.p = der->p + n, .n = der->n - (size_t)n};
	return cert;
}

X509 *token_x509_only(struct span der)
{
	cleanup(x509) X509 *cert = NULL;

	if (der.n > TOKEN_CERT_MAX)
		return NULL;
	cert = token_x509_next(&der);
	return der.n ? NULL : TAKE_PTR(cert);
}
