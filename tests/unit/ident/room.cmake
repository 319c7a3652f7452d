unit(ident SOURCES unit/ident/main.c unit/ident/test_condition.c unit/ident/test_directory.c unit/ident/test_labels.c unit/ident/test_number.c
	unit/ident/test_role.c unit/ident/test_template.c LINK -Wl,--wrap=strndup)
fuzz(labels LINK room_ident)
