unit(conf SOURCES
	unit/conf/main.c
	unit/conf/fail.c
	unit/conf/say.c
	unit/conf/test_bind.c
	unit/conf/test_check.c
	unit/conf/test_check_reach.c
	unit/conf/test_check_workload.c
	unit/conf/test_check_etcd.c
	unit/conf/test_describe.c
	unit/conf/test_field.c
	unit/conf/test_keys.c
	unit/conf/test_load.c
	unit/conf/test_near.c
	unit/conf/test_place.c
	unit/conf/test_profile.c
	unit/conf/test_reload.c
	unit/conf/test_scalar.c
	unit/conf/test_spoe.c
	unit/conf/test_text.c
	unit/conf/test_url.c
	unit/conf/test_value.c
	unit/conf/test_why.c
	unit/conf/test_yaml.c
	LINK PkgConfig::YAML)
target_link_options(unit_conf PRIVATE
	-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup,--wrap=reallocarray)
fuzz(config LINK room_conf)
