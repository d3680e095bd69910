/* SPDX-License-Identifier: MIT */
#include "policy/sts_file.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/pack.h"
#include "base/text.h"
#include "os/commit.h"
#include "os/file.h"
#include "resolve/hostname.h"

/* The first line of a file; behind it stands the policy. */
#define HEAD_MAX    128
#define HEAD_FORMAT "mta-sts 1 id=%s fetched=%llu\n"

/* No domain has such a name. */
#define HALF_WRITTEN "%new"

int
smtpd__sts_file_open(const char *directory)
{
	if (mkdir(directory, 0700) == -1 && errno != EEXIST)
		return -1;
	return open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Read the head, a NUL behind it, that is at TEXT.  Return its length, or 0. */
static size_t
read_head(const char *text, struct smtpd_sts_stored *out)
{
	unsigned long long fetched;
	char again[HEAD_MAX];
	char id[SMTPD_STS_ID_SIZE];
	int len;

	if (sscanf(text, "mta-sts 1 id=%32[A-Za-z0-9] fetched=%20llu", id,
		&fetched) != 2)
		return 0;
	len = snprintf(again, sizeof(again), HEAD_FORMAT, id, fetched);
	if (strncmp(text, again, (size_t)len) != 0)
		return 0;
	memcpy(out->id, id, sizeof(id));
	out->fetched_s = fetched;
	return (size_t)len;
}

/* Read the file NAME into BUF.  Return whether it has been read; it is a policy
 * if OUT has a text then. */
static bool
read_file(int fd, const char *name, char *buf, struct smtpd_sts_stored *out)
{
	const size_t most = HEAD_MAX + SMTPD_STS_POLICY_MAX;
	struct stat st;
	int file = smtpd__file_open_regular(fd, name, &st);
	size_t head = 0;
	bool read = true;

	if (file == -1)
		return false;
	if ((uint64_t)st.st_size < most)
		read =
		    smtpd__file_read_at(file, buf, (size_t)st.st_size, 0) == 0;
	else
		st.st_size = 0;
	close(file);
	if (!read)
		return false;
	buf[st.st_size] = '\0';
	head = read_head(buf, out);
	out->text = head > 0 ? buf + head : NULL;
	out->len = (size_t)st.st_size - head;
	return true;
}

static bool
is_domain(const char *name)
{
	char same[SMTPD_DNS_HOST_MAX];

	return smtpd__hostname_normalise(name, same) == 0 &&
	    strcmp(name, same) == 0;
}

void
smtpd__sts_file_read_all(int fd,
    void (*each)(
	void *user, const char *domain, const struct smtpd_sts_stored *stored),
    void *user)
{
	char *buf = malloc(HEAD_MAX + SMTPD_STS_POLICY_MAX + 1);
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy != -1 ? fdopendir(copy) : NULL;
	const struct dirent *d;

	if (dir == NULL && copy != -1)
		close(copy);
	while (dir != NULL && buf != NULL && (d = readdir(dir)) != NULL) {
		struct smtpd_sts_stored stored;

		if (d->d_name[0] == '.' ||
		    !read_file(fd, d->d_name, buf, &stored))
			continue;
		if (is_domain(d->d_name) && stored.text != NULL)
			each(user, d->d_name, &stored);
		else
			smtpd__sts_file_remove(fd, d->d_name);
	}
	if (dir != NULL)
		closedir(dir);
	free(buf);
}

int
smtpd__sts_file_write(
    int fd, const char *domain, const struct smtpd_sts_stored *stored)
{
	char head[HEAD_MAX];
	int len = snprintf(head, sizeof(head), HEAD_FORMAT, stored->id,
	    (unsigned long long)stored->fetched_s);
	struct smtpd_pack all = { .data = NULL };
	int status = -1;

	smtpd__pack_bytes(&all, head, (size_t)len);
	smtpd__pack_bytes(&all, stored->text, stored->len);
	if (all.failed)
		errno = ENOMEM;
	else
		status = smtpd__commit_replace(
		    fd, domain, HALF_WRITTEN, all.data, all.len);
	smtpd__pack_free(&all);
	return status;
}

void
smtpd__sts_file_remove(int fd, const char *domain)
{
	unlinkat(fd, domain, 0);
}
