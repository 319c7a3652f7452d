unit(etcd SOURCES
	unit/etcd/main.c
	unit/net/fail.c
	unit/etcd/test_base64.c
	unit/etcd/test_request.c
	unit/etcd/test_reply.c
	unit/etcd/test_layout.c
	unit/etcd/test_phase.c
	unit/etcd/test_registry.c
	unit/etcd/double.c
	unit/etcd/test_allocate.c)
# With a real etcd, which takes a while: not among those that are run at each step.
add_executable(live_etcd
	unit/etcd/live_main.c
	unit/etcd/live.c
	unit/etcd/test_numbers.c
	unit/etcd/test_notes.c
	unit/etcd/test_mesh.c)
target_link_libraries(live_etcd PRIVATE room_etcd PkgConfig::CHECK Threads::Threads)
# Run by hand: build/release/tests/bench_etcd
add_executable(bench_etcd bench/etcd.c unit/etcd/live.c)
target_link_libraries(bench_etcd PRIVATE room_etcd PkgConfig::CHECK Threads::Threads)
if(NOT IDENTITYD_SANITIZE AND NOT IDENTITYD_FUZZ)
	add_test(NAME live_etcd COMMAND live_etcd)
endif()
target_link_options(unit_etcd PRIVATE
	-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup)
fuzz(etcd LINK room_etcd)
