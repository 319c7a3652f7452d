unit(spoa
	SOURCES unit/spoa/main.c unit/spoa/help.c unit/spop/support.c unit/token/keys.c
		unit/spoa/test_decide.c
	LINK PkgConfig::OPENSSL PkgConfig::JANSSON)
