/* What is in a token, for people. Nothing is verified, and that is said. */
#include "base/wr.h"
#include "ctl/args.h"
#include "ctl/commands.h"
#include "ctl/fetch.h"
#include "ctl/options.h"
#include "ctl/out.h"
#include "token/b64.h"
#include "token/json.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define TOKEN_FILE_MAX (256 * 1024)

/* One part of the compact form as JSON; NULL: it is none. */
static json_t *part_of(struct span text)
{
	cleanup(free) unsigned char *bytes = malloc(token_b64_bytes(text.n) + 1);
	struct wr w;

	if (!bytes)
		return NULL;
	w = wr_of(bytes, token_b64_bytes(text.n));
	if (token_b64_decode(text, &w))
		return NULL;
	return json_loadb((const char *)bytes, wr_len(&w), JSON_REJECT_DUPLICATES, NULL);
}

/* RFC 7515 3.1: header.payload.signature. */
static json_t *decode(const char *token)
{
	const char *dot = strchr(token, '.');
	const char *second = dot ? strchr(dot + 1, '.') : NULL;
	json_t *header, *payload;

	if (!second || strchr(second + 1, '.'))
		return NULL;
	header = part_of((struct span){token, (size_t)(dot - token)});
	payload = part_of((struct span){dot + 1, (size_t)(second - dot - 1)});
	if (json_is_object(header) && json_is_object(payload))
		return json_pack(
			"{s:b, s:o, s:o}", "verified", 0, "header", header, "claims", payload);
	json_decref(header);
	json_decref(payload);
	return NULL;
}

/* RFC 7519 4.1: these are seconds since 1970. */
static void print_time(const char *key, const json_t *value, FILE *to)
{
	static const char *const TIMES[] = {"exp", "iat", "nbf", "auth_time"};
	time_t seconds = (time_t)json_number_value(value);
	char text[40];
	struct tm tm;

	for (size_t i = 0; i < ARRAY_SIZE(TIMES); i++)
		if (!strcmp(key, TIMES[i]) && json_is_number(value) && gmtime_r(&seconds, &tm) &&
			strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
			fprintf(to, "  (%s%s)", text,
				!strcmp(key, "exp") && seconds < time(NULL) ? ", over" : "");
}

static void print_members(const char *title, const json_t *object, FILE *to)
{
	const char *key;
	json_t *value;

	fprintf(to, "%s\n", title);
	json_object_foreach ((json_t *)object, key, value) {
		cleanup(free) char *text =
			json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII | JSON_COMPACT);

		ctl_out_text(to, "  %-12s %s", key, text ? text : "-");
		print_time(key, value, to);
		fputc('\n', to);
	}
}

enum ctl_exit ctl_token_decode(int argc, char **argv)
{
	static const char WANTED[] = "one token is needed, or @FILE";
	cleanup(json) json_t *token = NULL;
	char *data = NULL;
	struct ctl_options o;
	size_t n;
	enum ctl_exit rc =
		ctl_options_read(argc, argv, NULL, 0, CTL_TAKES_OUTPUT, 1, 1, WANTED, &o);

	if (rc)
		return rc;
	if (o.rest[0][0] == '@') {
		int err = ctl_args_read_file(o.rest[0] + 1, TOKEN_FILE_MAX, &data, &n);

		if (err) {
			ctl_args_complain(argv[0], "%s: %s", o.rest[0] + 1, strerror(-err));
			return CTL_FAILED;
		}
		data[strcspn(data, " \t\r\n")] = '\0';
	}
	token = decode(data ? data : o.rest[0]);
	ctl_args_wipe(data, data ? strlen(data) : 0);
	if (!token) {
		ctl_args_complain(argv[0], "this is no signed token: three parts, the first two "
					   "JSON objects in base64url");
		return CTL_FAILED;
	}
	if (o.json) {
		ctl_fetch_print(token);
		return CTL_OK;
	}
	puts("NOT VERIFIED: anybody can write such a token");
	print_members("header", json_object_get(token, "header"), stdout);
	print_members("claims", json_object_get(token, "claims"), stdout);
	return CTL_OK;
}
