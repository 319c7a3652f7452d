/* The keys of our assertions, for backends (public) and for identityctl (admin). */
#include "spoa/routes.h"

#include "spoa/daemon.h"

#include <stdio.h>
#include <string.h>

void spoa_route_jwks(
	void *arg, const struct spoa_http_request *request, struct spoa_http_answer *answer)
{
	struct spoa_daemon *daemon = arg;

	(void)request;
	answer->body = strdup(spoa_signers_jwks(spoa_keyring_signers(daemon->keyring)));
	/* A key is published at least this long before it signs. */
	if (spoa_keyring_lead(daemon->config->conf) >= 600)
		answer->cache_control = "public, max-age=300";
}
