unit(bpfmap SOURCES
	unit/bpfmap/main.c
	unit/bpfmap/kernel.c
	unit/bpfmap/test_bpfmap.c
	unit/bpfmap/test_flow.c
	unit/bpfmap/test_flows_bpf.c
	unit/bpfmap/test_link.c
	unit/bpfmap/test_load.c
	unit/bpfmap/test_pin.c
	unit/bpfmap/test_unload.c
	LINK -Wl,--wrap=calloc,--wrap=strdup)
