#include "spoa/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

int spoa_file_text(const char *path, size_t max, char **ret_text)
{
	cleanup(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	cleanup(free) char *text = calloc(1, max + 1);
	ssize_t n;

	if (fd < 0)
		return -errno;
	if (!text)
		return -ENOMEM;
	n = read(fd, text, max + 1);
	if (n < 0)
		return -errno;
	if ((size_t)n > max || memchr(text, '\0', (size_t)n)) {
		explicit_bzero(text, max + 1);
		return -EFBIG;
	}
	*ret_text = TAKE_PTR(text);
	return 0;
}

/* Cuts the white space around a text; what is left must be printable, from first on. */
static int take_line(const char *path, size_t max, char first, char **ret_text)
{
	static const char BLANK[] = " \t\r\n";
	cleanup(free) char *text = NULL;
	int rc = spoa_file_text(path, max, &text);
	size_t blank, n;

	if (rc)
		return rc;
	blank = strspn(text, BLANK);
	n = strlen(text + blank);
	while (n && strchr(BLANK, text[blank + n - 1]))
		n--;
	rc = n ? 0 : -EBADMSG;
	for (size_t i = 0; i < n && !rc; i++)
		if (text[blank + i] < first || text[blank + i] > '~')
			rc = -EBADMSG;
	if (rc) {
		explicit_bzero(text, strlen(text));
		return rc;
	}
	memmove(text, text + blank, n);
	text[n] = '\0';
	*ret_text = TAKE_PTR(text);
	return 0;
}

int spoa_file_word(const char *path, size_t max, char **ret_word)
{
	return take_line(path, max, '!', ret_word);
}

int spoa_file_line(const char *path, size_t max, char **ret_line)
{
	return take_line(path, max, ' ', ret_line);
}
