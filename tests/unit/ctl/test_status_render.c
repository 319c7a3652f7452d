#include "tests/unit/ctl/suites.h"

#include "ctl/status_render.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *json;
	size_t complaints;
	const char *text;
} ROWS[] = {
	{
		/* all is well */
		"{\"version\":\"0.1.0\",\"uptime_s\":12,\"ready\":true,\"not_ready\":[],"
		"\"config\":{\"path\":\"/etc/identityd.yaml\",\"generation\":1,"
		"\"loaded_at\":\"2026-01-02T03:04:05Z\",\"last_reload_error\":null},"
		"\"workers\":2,\"connections\":3,\"waiting\":0,"
		"\"providers\":[{\"name\":\"corp\",\"issuer\":\"https://idp\",\"state\":\"fresh\","
		"\"keys\":3,\"key_age_s\":119,\"last_error\":null},"
		"{\"name\":\"partners\",\"issuer\":\"https://p\",\"state\":\"stale\","
		"\"keys\":1,\"key_age_s\":7200,\"last_error\":\"timed out\"}],"
		"\"bpf\":{\"mode\":\"auto\",\"state\":\"enforced\",\"why\":null,\"attached\":true,"
		"\"max_flows\":65536,\"flows_opened\":5,\"flows_closed\":4,\"flows_full\":0},"
		"\"identities\":[{\"id\":256,\"provenance\":\"local\",\"role\":\"admin\","
		"\"labels\":\"k8s:a=b;\"},{\"id\":16777215,\"provenance\":\"fixed\","
		"\"role\":\"x\",\"labels\":\"k8s:c=;\"}],"
		"\"requests\":{\"allow\":1,\"deny\":2,\"error\":0}}",
		0,
		"identityd 0.1.0, up 12 s, ready\n"
		"\n"
		"configuration  /etc/identityd.yaml, generation 1, loaded 2026-01-02T03:04:05Z\n"
		"kernel         enforced (mode auto, attached)\n"
		"flows          5 opened, 4 closed, 0 without room, at most 65536\n"
		"connections    3 on 2 workers, 0 requests waiting\n"
		"requests       1 allow, 2 deny, 0 error\n"
		"\n"
		"PROVIDER  STATE  KEYS  AGE    ISSUER       LAST ERROR\n"
		"corp      fresh  3     119 s  https://idp  -\n"
		"partners  stale  1     2 h    https://p    timed out\n"
		"\n"
		"IDENTITY  FROM   ROLE   LABELS\n"
		"256       local  admin  k8s:a=b;\n"
		"16777215  fixed  x      k8s:c=;\n",
	},
	{
		/* everything that can be wrong is */
		"{\"version\":\"0.1.0\",\"uptime_s\":172800,\"ready\":false,"
		"\"not_ready\":[\"corp has no keys\",\"no listener\"],"
		"\"config\":{\"path\":\"/f\",\"generation\":4,\"loaded_at\":\"t\","
		"\"last_reload_error\":\"/f:3:1: unknown key\"},"
		"\"providers\":[{\"name\":\"corp\",\"state\":\"empty\",\"keys\":0,"
		"\"last_error\":\"refused\"}],"
		"\"bpf\":{\"mode\":\"auto\",\"state\":\"not_enforced\","
		"\"why\":\"no map is pinned\",\"attached\":false},"
		"\"audit\":{\"to\":\"file\",\"written\":7,\"lost\":2,\"error\":\"No space\"}}",
		5,
		"identityd 0.1.0, up 2 d, not ready\n"
		"!! NOT READY: corp has no keys\n"
		"!! NOT READY: no listener\n"
		"!! NOT ENFORCED: no map is pinned\n"
		"!! NO KEYS: provider corp, last error: refused\n"
		"!! NO AUDIT LOG: No space\n"
		"!! RELOAD FAILED: /f:3:1: unknown key\n"
		"\n"
		"configuration  /f, generation 4, loaded t\n"
		"kernel         not_enforced (mode auto, not attached)\n"
		"flows          - opened, - closed, - without room, at most -\n"
		"connections    - on - workers, - requests waiting\n"
		"audit          to file, 7 written, 2 lost\n"
		"requests       - allow, - deny, - error\n"
		"\n"
		"PROVIDER  STATE  KEYS  AGE  ISSUER  LAST ERROR\n"
		"corp      empty  0     -    -       refused\n",
	},
	{
		/* an empty document */
		"{}",
		0,
		"identityd -, up -, readiness unknown\n"
		"\n"
		"configuration  -, generation -, loaded -\n"
		"kernel         - (mode -, -)\n"
		"flows          - opened, - closed, - without room, at most -\n"
		"connections    - on - workers, - requests waiting\n"
		"requests       - allow, - deny, - error\n",
	},
	{
		/* every field of a wrong type */
		"{\"version\":1,\"uptime_s\":\"x\",\"ready\":\"yes\",\"not_ready\":7,\"config\":[],"
		"\"workers\":null,\"connections\":1.5,\"waiting\":{},\"providers\":{\"a\":1},"
		"\"bpf\":\"on\",\"identities\":[null,7],\"requests\":[]}",
		0,
		"identityd -, up -, readiness unknown\n"
		"\n"
		"configuration  -, generation -, loaded -\n"
		"kernel         - (mode -, -)\n"
		"flows          - opened, - closed, - without room, at most -\n"
		"connections    - on - workers, - requests waiting\n"
		"requests       - allow, - deny, - error\n"
		"\n"
		"IDENTITY  FROM  ROLE  LABELS\n"
		"-         -     -     -\n"
		"-         -     -     -\n",
	},
	{
		/* hostile text */
		"{\"version\":\"1\\u001b[2J\",\"uptime_s\":-5,\"ready\":false,"
		"\"not_ready\":[\"a\\n!! b\",7],"
		"\"bpf\":{\"state\":\"not_enforced\",\"why\":\"\\u009b31m\\u202e\"},"
		"\"providers\":[{\"name\":\"x\\r\\ny\",\"state\":\"empty\","
		"\"last_error\":\"%s%n\"}]}",
		3,
		"identityd 1?[2J, up -5 s, not ready\n"
		"!! NOT READY: a?!! b\n"
		"!! NOT READY: -\n"
		"!! NOT ENFORCED: ?31m?\n"
		"!! NO KEYS: provider x??y, last error: %s%n\n"
		"\n"
		"configuration  -, generation -, loaded -\n"
		"kernel         not_enforced (mode -, -)\n"
		"flows          - opened, - closed, - without room, at most -\n"
		"connections    - on - workers, - requests waiting\n"
		"requests       - allow, - deny, - error\n"
		"\n"
		"PROVIDER  STATE  KEYS  AGE  ISSUER  LAST ERROR\n"
		"x??y      empty  -     -    -       %s%n\n",
	},
	{
		/* marks that would not be set: said where there are some, and where it is known */
		"{\"ready\":true,\"bpf\":{\"mode\":\"off\",\"state\":\"off\"},\"haproxy\":{"
		"\"marks\":true,"
		"\"processes\":[{\"pid\":7,\"uid\":1,\"can_mark\":false},{\"pid\":8,\"uid\":1,"
		"\"can_mark\":true},{\"pid\":9,\"uid\":1,\"can_mark\":null}]},\"workloads\":{"
		"\"ipcache\":{\"path\":\"/p\",\"version\":0,\"why\":\"gone\"},\"labels\":0,"
		"\"labels_why\":\"bad\"}}",
		4,
		"identityd -, up -, ready\n"
		"!! HAPROXY CANNOT MARK, process 7: it has no CAP_NET_ADMIN and gets no marks\n"
		"!! HAPROXY MAY NOT BE ABLE TO MARK, process 9: identityd cannot see it in /proc "
		"(ProtectProc=)\n"
		"!! NO IPCACHE: gone\n"
		"!! NO NEW LABELS: bad\n"
		"\n"
		"configuration  -, generation -, loaded -\n"
		"kernel         off (mode off, -)\n"
		"flows          - opened, - closed, - without room, at most -\n"
		"connections    - on - workers, - requests waiting\n"
		"requests       - allow, - deny, - error\n",
	},
	{
		/* not ready without a reason; switched off is the operator's choice */
		"{\"ready\":false,\"bpf\":{\"mode\":\"off\",\"state\":\"off\"}}",
		1,
		"identityd -, up -, not ready\n"
		"!! NOT READY\n"
		"\n"
		"configuration  -, generation -, loaded -\n"
		"kernel         off (mode off, -)\n"
		"flows          - opened, - closed, - without room, at most -\n"
		"connections    - on - workers, - requests waiting\n"
		"requests       - allow, - deny, - error\n",
	},
};

START_TEST(golden)
{
	/* Goal: a document reads exactly like this, and complaints are counted alike. */
	json_t *status = json_loads(ROWS[_i].json, 0, NULL);
	cleanup(free) char *text = NULL;
	size_t n;
	FILE *to = open_memstream(&text, &n);

	ck_assert_ptr_nonnull(status);
	ck_assert_uint_eq(ctl_status_render(status, to), ROWS[_i].complaints);
	fclose(to);
	ck_assert_str_eq(text, ROWS[_i].text);
	ck_assert_uint_eq(ctl_status_complaints(status, NULL), ROWS[_i].complaints);
	json_decref(status);
}
END_TEST

Suite *suite_status_render(void)
{
	Suite *s = suite_create("ctl/status_render");
	TCase *tc = tcase_create("golden");

	tcase_add_loop_test(tc, golden, 0, ARRAY_SIZE(ROWS));
	suite_add_tcase(s, tc);
	return s;
}
