unit(spoa
	SOURCES unit/spoa/main.c unit/spoa/help.c unit/spoa/idp.c unit/spoa/peer.c unit/spop/support.c unit/token/keys.c
		unit/spoa/test_answer.c unit/spoa/test_caller.c unit/spoa/test_conn.c unit/spoa/test_decide.c unit/spoa/test_enforce.c unit/spoa/test_listen.c unit/spoa/test_log.c
		unit/spoa/test_config.c unit/spoa/test_metrics.c unit/spoa/test_status.c unit/spoa/test_watch.c
		unit/spoa/test_admin.c unit/spoa/test_keys.c unit/spoa/test_privilege.c
		unit/spoa/test_snapshot.c unit/spoa/test_request.c
		unit/spoa/test_session.c unit/spoa/test_source.c unit/spoa/test_worker.c
	LINK PkgConfig::OPENSSL PkgConfig::JANSSON -Wl,--wrap=bpfmap_flow_bind,--wrap=bpfmap_open,--wrap=bpfmap_status,--wrap=bpfmap_close)
fuzz(session LINK room_spoa)
