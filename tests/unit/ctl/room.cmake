set(ctl_tests main.c test_args.c test_claims.c test_out.c test_status_render.c)
if(TARGET identityctl)
	list(TRANSFORM ctl_tests PREPEND unit/ctl/)
	unit(ctl SOURCES ${ctl_tests}
		unit/ctl/daemon.c unit/ctl/program.c
		unit/ctl/test_fetch.c unit/ctl/test_kernel.c unit/ctl/test_main.c unit/ctl/test_map.c unit/ctl/test_metrics.c
		unit/ctl/test_revoke.c unit/ctl/test_trace.c unit/ctl/test_list.c unit/ctl/test_samples.c
		unit/ctl/test_status.c unit/ctl/test_token.c)
	target_compile_definitions(unit_ctl PRIVATE IDENTITYCTL="$<TARGET_FILE:identityctl>")
	add_dependencies(unit_ctl identityctl)
else()
	message(STATUS "no room_token: unit_ctl runs without the program")
	list(TRANSFORM ctl_tests PREPEND unit/ctl/)
	unit(ctl SOURCES ${ctl_tests})
endif()
