# A room is a folder that is one static library. What it may include is the
# table in docs/DESIGN.md; tests/check-includes holds it to that.

add_library(build_flags INTERFACE)
target_include_directories(build_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(build_flags INTERFACE _GNU_SOURCE
	IDENTITYD_VERSION="${PROJECT_VERSION}")
target_compile_options(build_flags INTERFACE
	-Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes
	-Wwrite-strings -Wvla -Wformat=2 -Wundef -Werror=implicit-function-declaration
	-fno-common -fstack-protector-strong)
if(IDENTITYD_SANITIZE STREQUAL "address")
	set(sanitize -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
elseif(IDENTITYD_SANITIZE STREQUAL "thread")
	set(sanitize -fsanitize=thread -fno-omit-frame-pointer)
else()
	set(sanitize "")
	target_compile_options(build_flags INTERFACE
		$<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
	target_link_options(build_flags INTERFACE -Wl,-z,relro,-z,now)
endif()
if(IDENTITYD_FUZZ)
	list(APPEND sanitize -fsanitize=fuzzer-no-link)
endif()
target_compile_options(build_flags INTERFACE ${sanitize})
target_link_options(build_flags INTERFACE ${sanitize})

# room(NAME SOURCES file... LINK target...)
function(room name)
	cmake_parse_arguments(ROOM "" "" "SOURCES;LINK" ${ARGN})
	add_library(room_${name} STATIC ${ROOM_SOURCES})
	target_link_libraries(room_${name} PUBLIC build_flags ${ROOM_LINK})
endfunction()
