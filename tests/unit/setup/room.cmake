unit(setup SOURCES
	unit/setup/main.c
	unit/bpfmap/kernel.c
	unit/setup/test_bpffs.c
	unit/setup/test_ipcache.c
	unit/setup/test_probe.c
	unit/setup/test_setup.c)
if(TARGET identityd-setup)
	target_sources(unit_setup PRIVATE unit/setup/test_main.c)
	target_compile_definitions(unit_setup PRIVATE
		WITH_PROGRAM SETUP_PROGRAM="$<TARGET_FILE:identityd-setup>")
	add_dependencies(unit_setup identityd-setup)
endif()
