#include "tests/unit/audit/suites.h"

#include "base/mem.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

static char folder[64];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static void clean(void)
{
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *scratch(void)
{
	snprintf(folder, sizeof(folder), "/tmp/identityd-audit.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	atexit(clean);
	return folder;
}

char *slurp(const char *name)
{
	char path[128];
	char *text = NULL;
	size_t n = 0;
	FILE *from;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	from = fopen(path, "r");
	if (!from)
		return NULL;
	if (getdelim(&text, &n, '\0', from) < 0) {
		free(text);
		text = strdup("");
	}
	fclose(from);
	return text;
}

int main(void)
{
	SRunner *runner = srunner_create(ring_suite());
	int failed;

	srunner_add_suite(runner, flow_suite());
	srunner_add_suite(runner, file_suite());
	srunner_add_suite(runner, audit_suite());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
