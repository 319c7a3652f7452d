unit(base SOURCES unit/base/main.c unit/base/test_cidr.c unit/base/test_clock.c unit/base/test_diag.c
	unit/base/test_doc.c unit/base/test_json.c unit/base/test_log.c unit/base/test_rd.c unit/base/test_reason.c
	unit/base/test_siphash.c unit/base/test_span.c unit/base/test_utf8.c unit/base/test_wr.c
	LINK PkgConfig::JANSSON -Wl,--wrap=calloc,--wrap=reallocarray,--wrap=strdup)
