# Debian wants manual pages compressed, and the same bytes each time.
file(GLOB pages "${CPACK_TEMPORARY_DIRECTORY}/usr/share/man/man*/*.[1-8]")
foreach(page ${pages})
	execute_process(COMMAND gzip -9nf ${page} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
