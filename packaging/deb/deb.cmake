# The .deb: `cpack` in the build folder. Wants CMAKE_INSTALL_PREFIX=/usr (presets
# deb and dev). Another version number: cpack -D CPACK_DEBIAN_PACKAGE_VERSION=1.2.3-1.
if(NOT CMAKE_INSTALL_PREFIX STREQUAL "/usr")
	message(FATAL_ERROR "IDENTITYD_DEB wants -DCMAKE_INSTALL_PREFIX=/usr")
endif()
set(deb ${CMAKE_CURRENT_LIST_DIR})

# The changelog's date is that of the last change, so that the same tree makes the same package.
set(date "Thu, 01 Jan 1970 00:00:00 +0000")
if(DEFINED ENV{SOURCE_DATE_EPOCH})
	set(when --date=@$ENV{SOURCE_DATE_EPOCH})
else()
	execute_process(COMMAND git -C ${CMAKE_SOURCE_DIR} log -1 --format=%ct OUTPUT_VARIABLE seconds
		OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
	set(when --date=@${seconds})
endif()
execute_process(COMMAND date -uR ${when} OUTPUT_VARIABLE said OUTPUT_STRIP_TRAILING_WHITESPACE
	ERROR_QUIET)
if(said)
	set(date ${said})
endif()
configure_file(${deb}/changelog.in deb/changelog.Debian @ONLY)
configure_file(${CMAKE_SOURCE_DIR}/CHANGELOG.md deb/changelog COPYONLY)
foreach(file changelog changelog.Debian)
	execute_process(COMMAND gzip -9nf ${CMAKE_CURRENT_BINARY_DIR}/deb/${file} COMMAND_ERROR_IS_FATAL ANY)
	install(FILES ${CMAKE_CURRENT_BINARY_DIR}/deb/${file}.gz DESTINATION ${CMAKE_INSTALL_DOCDIR})
endforeach()
install(FILES ${deb}/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(CPACK_GENERATOR DEB)
set(CPACK_SET_DESTDIR ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${deb}/compress.cmake)
set(CPACK_PACKAGE_NAME identityd)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "identityd maintainers <maintainers@identityd.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Identity agent for HAProxy")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "HAProxy asks identityd about every request over SPOP. identityd validates the
caller's OIDC token or client certificate, gives the caller a Cilium-style
security identity, writes it into pinned eBPF maps so that the kernel enforces
it at once, and answers with variables that HAProxy routes by.
.
The package holds the daemon, which runs without any capability, the program
that prepares the kernel (identityd-setup), identityctl, and systemd units.")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# systemd-sysusers and systemd-tmpfiles are what the scripts call.
set(CPACK_DEBIAN_PACKAGE_DEPENDS
	"ca-certificates, init-system-helpers (>= 1.54), systemd | systemd-standalone-sysusers")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "haproxy (>= 2.6)")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "bpftool")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${deb}/conffiles ${deb}/postinst ${deb}/prerm ${deb}/postrm)
include(CPack)
