/* SPDX-License-Identifier: MIT */
#include "crypto/pem.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/secret.h"

/* The largest file: all authorities of a system are a tenth of it. */
#define FILE_MAX ((off_t)4 << 20)

/* Room for LEN bytes and a NUL. */
static int
make_room(struct smtpd_pem *pem, size_t len)
{
	pem->size = len + 1;
	pem->text = calloc(1, pem->size);
	return pem->text != NULL ? 0 : ENOMEM;
}

static int
read_bytes(int fd, struct smtpd_pem *pem, size_t len)
{
	size_t at = 0;
	int error = make_room(pem, len);

	while (error == 0 && at < len) {
		ssize_t n = read(fd, pem->text + at, len - at);

		if (n > 0)
			at += (size_t)n;
		else if (n == 0)
			error = EIO;
		else if (errno != EINTR)
			error = errno;
	}
	return error;
}

int
smtpd__pem_read(struct smtpd_pem *pem, const char *file)
{
	struct stat st;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int error;

	if (fd < 0)
		return errno;
	if (fstat(fd, &st) != 0)
		error = errno;
	else if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX)
		error = S_ISDIR(st.st_mode) ? EISDIR : EFBIG;
	else
		error = read_bytes(fd, pem, (size_t)st.st_size);
	close(fd);
	return error;
}

int
smtpd__pem_copy(struct smtpd_pem *pem, const char *text, size_t len)
{
	int error = make_room(pem, len);

	if (error == 0)
		memcpy(pem->text, text, len);
	return error;
}

bool
smtpd__pem_has_nul(const struct smtpd_pem *pem)
{
	return strlen((const char *)pem->text) != pem->size - 1;
}

bool
smtpd__pem_breaks_off(const struct smtpd_pem *pem)
{
	static const char end[] = "-----END ";
	const char *text = (const char *)pem->text;
	const char *next;

	while ((next = strstr(text, end)) != NULL)
		text = next + sizeof(end) - 1;
	text = strstr(text, "-----");
	return text == NULL || strstr(text, "\n-") != NULL;
}

void
smtpd__pem_free(struct smtpd_pem *pem)
{
	if (pem->text != NULL)
		smtpd__secret_wipe(pem->text, pem->size);
	free(pem->text);
	pem->text = NULL;
}
