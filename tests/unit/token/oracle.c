#include "tests/unit/token/oracle.h"

#include <check.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct oracle {
	pid_t pid;
	FILE *to, *from;
};

struct oracle *oracle_start(void)
{
	struct oracle *oracle = calloc(1, sizeof(*oracle));
	int ends[2];

	ck_assert_ptr_nonnull(oracle);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	oracle->pid = fork();
	ck_assert_int_ge(oracle->pid, 0);
	if (!oracle->pid) {
		dup2(ends[1], 0);
		dup2(ends[1], 1);
		/* A sanitizer's library is not for Python. */
		unsetenv("LD_PRELOAD");
		execl(SOURCE_DIR "/tests/oracle/jws.py", "jws.py", (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	oracle->to = fdopen(ends[0], "w");
	oracle->from = fdopen(dup(ends[0]), "r");
	ck_assert(oracle->to && oracle->from);
	return oracle;
}

void oracle_stop(struct oracle *oracle)
{
	int status = 0;

	fclose(oracle->to);
	/* The other descriptor of the same socket: says that nothing more comes. */
	shutdown(fileno(oracle->from), SHUT_WR);
	fclose(oracle->from);
	ck_assert_int_eq(waitpid(oracle->pid, &status, 0), oracle->pid);
	ck_assert_int_eq(status, 0);
	free(oracle);
}

bool oracle_accepts(struct oracle *oracle, const char *token, const char *jwks, const char *alg)
{
	json_t *question = json_pack("{s:s, s:o, s:[s]}", "token", token, "keys",
		json_loads(jwks, 0, NULL), "algs", alg);
	char *text = question ? json_dumps(question, JSON_COMPACT) : NULL;
	char line[65536];
	json_t *answer;
	bool accepts;

	ck_assert_ptr_nonnull(text);
	fprintf(oracle->to, "%s\n", text);
	ck_assert_int_eq(fflush(oracle->to), 0);
	ck_assert_msg(fgets(line, sizeof(line), oracle->from),
		"the oracle ended: is python3-jwcrypto installed?");
	answer = json_loads(line, 0, NULL);
	ck_assert_ptr_nonnull(answer);
	accepts = json_object_get(answer, "payload") != NULL;
	ck_assert(accepts || json_object_get(answer, "refused"));
	json_decref(answer);
	json_decref(question);
	free(text);
	return accepts;
}
