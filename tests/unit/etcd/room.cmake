unit(etcd SOURCES
	unit/etcd/main.c
	unit/net/fail.c
	unit/etcd/test_base64.c
	unit/etcd/test_request.c
	unit/etcd/test_reply.c
	unit/etcd/test_layout.c
	unit/etcd/test_phase.c
	unit/etcd/test_registry.c)
target_link_options(unit_etcd PRIVATE
	-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup)
fuzz(etcd LINK room_etcd)
