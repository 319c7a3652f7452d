/* Certificates of a test: a CA, a server, a client, and a client of another CA. */
#ifndef TESTS_SPOA_PKI_H
#define TESTS_SPOA_PKI_H

#define PKI_CLIENT_NAME "haproxy-1.example.com"

/* Paths of PEM files in a folder of their own. */
struct pki {
	char dir[64];
	char ca[96], cert[96], key[96];
	char client_cert[96], client_key[96];
	char other_cert[96], other_key[96];
};

void pki_new(struct pki *pki);
void pki_free(struct pki *pki);

#endif
