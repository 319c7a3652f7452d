/*
 * Small files of the operator's, read whole: secrets, tokens, certificates.
 */
#ifndef SPOA_FILE_H
#define SPOA_FILE_H

#include "base/mem.h"

/*
 * The whole file as text (malloc, the caller's). 0; -EFBIG: more than max
 * bytes, or a NUL in it; -errno of open and read; -ENOMEM.
 */
int spoa_file_text(const char *path, size_t max, char **ret_text) must_check;

/*
 * One word in a file, without the white space around it: printable ASCII, as
 * a header may carry it. The same; -EBADMSG: empty, or more than one word.
 */
int spoa_file_word(const char *path, size_t max, char **ret_word) must_check;

/* The same for a text that may hold blanks inside, as a client secret may (RFC 6749 A.2). */
int spoa_file_line(const char *path, size_t max, char **ret_line) must_check;

#endif
