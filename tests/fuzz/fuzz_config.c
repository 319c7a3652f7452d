/* Any bytes as a configuration file: good, or named mistakes on one clean line each. */
#include "tests/fuzz/fuzz.h"

#include "conf/conf.h"

#include <errno.h>

static void check_item(const struct base_diag_item *item)
{
	FUZZ_CHECK(item->text[0]);
	for (const char *p = item->text; *p; p++)
		FUZZ_CHECK((unsigned char)*p >= ' ' && *p != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct base_diag diag;
	struct conf *conf = NULL;
	int err;

	base_diag_init(&diag, "fuzz");
	err = conf_parse("fuzz", (const char *)data, size, &conf, &diag);
	FUZZ_CHECK(err == (diag.n_found ? -EINVAL : 0));
	FUZZ_CHECK((conf != NULL) == (err == 0));
	for (size_t i = 0; i < diag.n_items; i++)
		check_item(&diag.items[i]);
	if (conf)
		FUZZ_CHECK(conf_check_reload(conf, conf, &diag) == 0);
	conf_free(conf);
	base_diag_done(&diag);
	return 0;
}
