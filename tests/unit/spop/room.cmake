unit(spop SOURCES
	unit/spop/main.c
	unit/spop/support.c
	unit/spop/test_ack.c
	unit/spop/test_data.c
	unit/spop/test_disconnect.c
	unit/spop/test_frame.c
	unit/spop/test_hello.c
	unit/spop/test_kv.c
	unit/spop/test_notify.c
	unit/spop/test_status.c)
