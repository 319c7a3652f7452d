#include "net/net.h"

#include "net/outcome.h"
#include "net/transfer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#define UNIX_TIMEOUT_MS 5000
#define UNIX_MAX_BYTES  (4 * 1024 * 1024)

static int refuse(int error, const char *sentence, char why[160])
{
	snprintf(why, 160, "%s", sentence);
	return error;
}

/* What is wrong with the arguments, or NULL. */
static const char *argument_check(const char *socket_path, const char *path)
{
	if (path[0] != '/')
		return "the path does not begin with a slash";
	if (!*socket_path)
		return "the socket's path is empty";
	if (strlen(socket_path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return "the socket's path is too long";
	return NULL;
}

/* The socket says who answers; the host in the URL is only the Host line. */
static int transfer_of(const char *socket_path, const char *path, struct net_transfer **ret)
{
	cleanup(net_transfer) struct net_transfer *t = NULL;
	cleanup(free) char *url = NULL;
	struct net_request request = {
		.allow_http = true,
		.max_bytes = UNIX_MAX_BYTES,
		.timeout_ms = UNIX_TIMEOUT_MS,
	};
	int rc;

	if (asprintf(&url, "http://localhost%s", path) < 0) {
		url = NULL;
		return -ENOMEM;
	}
	request.url = url;
	rc = net_transfer_new(&request, &t);
	if (rc)
		return rc;
	t->vet.anything = true; /* a socket file has no address */
	rc = net_transfer_start(t);
	if (rc)
		return rc;
	if (curl_easy_setopt(t->easy, CURLOPT_UNIX_SOCKET_PATH, socket_path) != CURLE_OK)
		return -ENOMEM;
	*ret = TAKE_PTR(t);
	return 0;
}

static void headers_free(struct curl_slist *headers)
{
	curl_slist_free_all(headers);
}
DEFINE_CLEANUP(headers, struct curl_slist *, headers_free)

static int set_body(CURL *easy, struct span json, struct curl_slist *headers)
{
	if (!headers || curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers) != CURLE_OK ||
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)json.n) != CURLE_OK ||
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, json.p) != CURLE_OK)
		return -ENOMEM;
	return 0;
}

/* json NULL: a GET. */
static int ask(const char *socket_path, const char *path, const struct span *json,
	struct net_answer **ret_answer, char why[160])
{
	cleanup(net_transfer) struct net_transfer *t = NULL;
	cleanup(headers) struct curl_slist *headers = NULL;
	const char *wrong = argument_check(socket_path, path);
	int rc;

	if (wrong)
		return refuse(-EINVAL, wrong, why);
	rc = net_transfer_global();
	if (rc)
		return refuse(rc, "libcurl could not be set up", why);
	rc = transfer_of(socket_path, path, &t);
	if (!rc && json) {
		headers = curl_slist_append(NULL, "Content-Type: application/json");
		rc = set_body(t->easy, *json, headers);
	}
	if (rc)
		return refuse(rc, strerror(-rc), why);
	net_outcome_end(t, curl_easy_perform(t->easy));
	if (t->answer->error)
		return refuse(t->answer->error, t->answer->why, why);
	*ret_answer = TAKE_PTR(t->answer);
	return 0;
}

int net_unix_get(
	const char *socket_path, const char *path, struct net_answer **ret_answer, char why[160])
{
	return ask(socket_path, path, NULL, ret_answer, why);
}

int net_unix_post(const char *socket_path, const char *path, struct span json,
	struct net_answer **ret_answer, char why[160])
{
	return ask(socket_path, path, &json, ret_answer, why);
}
