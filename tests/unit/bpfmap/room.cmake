unit(bpfmap SOURCES
	unit/bpfmap/main.c
	unit/bpfmap/kernel.c
	unit/bpfmap/test_bpfmap.c
	unit/bpfmap/test_flow.c
	unit/bpfmap/test_edge_bpf.c
	unit/bpfmap/test_equivalence.c
	unit/policy/help.c
	unit/policy/random.c
	unit/bpfmap/test_compile.c
	unit/bpfmap/test_identity.c
	unit/bpfmap/test_ipcache.c
	unit/bpfmap/test_link.c
	unit/bpfmap/test_load.c
	unit/bpfmap/test_mark.c
	unit/bpfmap/test_pin.c
	unit/bpfmap/test_plan.c
	unit/bpfmap/test_policy.c
	unit/bpfmap/test_unload.c
	unit/bpfmap/test_update.c
	LINK room_policy PkgConfig::YAML -Wl,--wrap=calloc,--wrap=strdup
		-Wl,--wrap=bpf_map_update_elem,--wrap=bpf_map_delete_elem)
add_dependencies(unit_bpfmap bpf_harness)
target_include_directories(unit_bpfmap SYSTEM PRIVATE ${CMAKE_BINARY_DIR})
