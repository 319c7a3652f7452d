unit(store SOURCES unit/store/main.c unit/store/scratch.c unit/store/test_identities.c
	unit/store/test_keep.c unit/store/test_keys.c unit/store/test_kill.c unit/store/test_revocations.c unit/store/test_schema.c unit/store/test_shared.c
	unit/store/test_sql.c unit/store/test_store.c
	LINK -Wl,--wrap=malloc,--wrap=calloc,--wrap=reallocarray,--wrap=strdup)
