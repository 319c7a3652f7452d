pkg_check_modules(OPENSSL_SSL REQUIRED IMPORTED_TARGET libssl>=3.0)
unit(net SOURCES
	unit/net/main.c
	unit/net/fail.c
	unit/net/server.c
	unit/net/cert.c
	unit/net/test_header.c
	unit/net/test_net.c
	unit/net/test_outcome.c
	unit/net/test_transfer.c
	unit/net/test_unix.c
	unit/net/test_vet.c
	LINK PkgConfig::OPENSSL_SSL PkgConfig::OPENSSL)
target_link_options(unit_net PRIVATE
	-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup)
