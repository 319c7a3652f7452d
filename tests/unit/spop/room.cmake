unit(spop SOURCES
	unit/spop/main.c
	unit/spop/support.c
	unit/spop/test_ack.c
	unit/spop/test_data.c
	unit/spop/test_disconnect.c
	unit/spop/test_fragment.c
	unit/spop/test_frame.c
	unit/spop/test_hello.c
	unit/spop/test_kv.c
	unit/spop/test_notify.c
	unit/spop/test_status.c)

# The same bytes through spop/ and through an implementation in Python.
add_executable(spop_echo unit/spop/spop_echo.c)
target_link_libraries(spop_echo PRIVATE room_spop)
find_program(PYTHON3 python3 REQUIRED)
add_test(NAME spop_selftest COMMAND ${PYTHON3} ${CMAKE_CURRENT_SOURCE_DIR}/e2e/spop.py selftest)
add_test(NAME spop_differential COMMAND ${PYTHON3}
	${CMAKE_CURRENT_SOURCE_DIR}/e2e/spop_differential.py $<TARGET_FILE:spop_echo>)

foreach(target fragment frame hello notify ack)
	fuzz(${target} LINK room_spop)
endforeach()
