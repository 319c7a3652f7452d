unit(policy
	SOURCES unit/policy/main.c unit/policy/help.c unit/policy/random.c unit/conf/fail.c
		unit/policy/test_index.c unit/policy/test_judge.c unit/policy/test_kernel.c
		unit/policy/test_load.c
		unit/policy/test_object.c unit/policy/test_path.c unit/policy/test_pattern.c
	LINK PkgConfig::YAML)
target_include_directories(unit_policy PRIVATE unit/conf)
target_link_options(unit_policy PRIVATE
	-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup,--wrap=reallocarray)
fuzz(policy LINK room_policy)
find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_test(NAME policy_compare COMMAND ${Python3_EXECUTABLE}
	${CMAKE_CURRENT_SOURCE_DIR}/policy/compare.py $<TARGET_FILE:identityctl> ${IDENTITYD_VECTORS})
add_test(NAME policy_documents COMMAND ${Python3_EXECUTABLE}
	${CMAKE_CURRENT_SOURCE_DIR}/policy/documents.py $<TARGET_FILE:identityctl>)
add_executable(bench_policy bench/policy.c bench/many.c)
target_link_libraries(bench_policy PRIVATE room_policy)
add_test(NAME policy_tools COMMAND ${Python3_EXECUTABLE}
	${CMAKE_CURRENT_SOURCE_DIR}/policy/tools.py $<TARGET_FILE:identityctl>)
