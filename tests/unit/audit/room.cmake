unit(audit SOURCES unit/audit/main.c unit/audit/test_audit.c unit/audit/test_file.c
	unit/audit/test_flow.c unit/audit/test_ring.c
	LINK PkgConfig::JANSSON)
