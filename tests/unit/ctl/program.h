/* Runs identityctl as a person would. */
#ifndef TESTS_UNIT_CTL_PROGRAM_H
#define TESTS_UNIT_CTL_PROGRAM_H

struct program_result {
	int code;
	char out[16384];
	char err[4096];
};

/* arguments ends with NULL and leaves out the program's name. */
void program_run(const char *const *arguments, struct program_result *ret_result);
#define PROGRAM_RUN(result, ...) program_run((const char *const[]){__VA_ARGS__, NULL}, result)

/* The same with stdout at a file that refuses every byte. */
int program_run_full(const char *const *arguments);

/* A file in /tmp with this content; the name lives until the next but three. */
const char *program_file(const char *content);
/* Removes all of them. */
void program_files_done(void);

#endif
