/* SPDX-License-Identifier: MIT */
#include "queue/delivery/tls_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/container.h"
#include "base/name_table.h"
#include "base/sizes.h"
#include "os/file.h"
#include "os/random.h"

#define NEW_FILE SMTPD_TLS_MEMORY_FILE ".new"

/* A line with its newline, and how many more of them than hosts the file may
 * have before it is written anew. */
#define LINE_MAX_SIZE (SMTPD_HOSTNAME_SIZE + 16)
#define LINES_MORE    1024

struct host {
	struct smtpd_named node;
	struct host *next; /* of all */
	uint32_t day;
	char name[];
};

struct smtpd_tls_memory {
	pthread_mutex_t lock;
	int dir;
	const struct smtpd_logger *logger;
	struct smtpd_name_table table;
	struct host *all;
	size_t lines; /* of the file */
	bool failed;  /* it could not be written, which was told */
};

static bool
is_fresh(uint32_t then, uint32_t day)
{
	return then + SMTPD_TLS_MEMORY_DAYS >= day;
}

static struct host *
find_host(const struct smtpd_tls_memory *m, const char *name)
{
	struct smtpd_named *node = smtpd__name_table_find(&m->table, name);

	return node != NULL ? SMTPD_CONTAINER_OF(node, struct host, node)
			    : NULL;
}

/* Forget the one that did TLS longest ago. */
static void
drop_oldest(struct smtpd_tls_memory *m)
{
	struct host **oldest = &m->all, *h;

	for (struct host **at = &m->all; *at != NULL; at = &(*at)->next)
		if ((*at)->day < (*oldest)->day)
			oldest = at;
	h = *oldest;
	*oldest = h->next;
	smtpd__name_table_remove(&m->table, &h->node);
	free(h);
}

/* Remember NAME, of LEN characters.  Return whether that is news. */
static bool
remember_host(
    struct smtpd_tls_memory *m, const char *name, size_t len, uint32_t day)
{
	struct host *h = find_host(m, name);
	bool news = h == NULL || h->day < day;

	if (h == NULL) {
		h = calloc(1, sizeof(*h) + len + 1);
		if (h == NULL)
			return false;
		if (m->table.count >= SMTPD_TLS_MEMORY_MAX)
			drop_oldest(m);
		memcpy(h->name, name, len + 1);
		h->node.name = h->name;
		smtpd__name_table_add(&m->table, &h->node);
		h->next = m->all;
		m->all = h;
	}
	if (news)
		h->day = day;
	return news;
}

/* One line of the file; what cannot be read is passed over. */
static void
read_line(struct smtpd_tls_memory *m, char *line, uint32_t today)
{
	char *end;
	unsigned long day = strtoul(line, &end, 10);
	size_t len;

	m->lines++;
	if (end == line || *end != ' ' || day > today)
		return;
	len = strcspn(++end, "\n");
	if (len == 0 || end[len] != '\n' || len >= SMTPD_HOSTNAME_SIZE)
		return;
	end[len] = '\0';
	if (is_fresh((uint32_t)day, today))
		remember_host(m, end, len, (uint32_t)day);
}

static void
read_file(struct smtpd_tls_memory *m, uint32_t today)
{
	struct stat st;
	int fd = smtpd__file_open_regular(m->dir, SMTPD_TLS_MEMORY_FILE, &st);
	FILE *f = fd != -1 ? fdopen(fd, "r") : NULL;
	char line[LINE_MAX_SIZE];

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		read_line(m, line, today);
	if (f != NULL)
		fclose(f);
	else if (fd != -1)
		close(fd);
}

/* The file could not be written, as errno says. */
static void
tell_failure(struct smtpd_tls_memory *m)
{
	if (!m->failed)
		smtpd__logger_write(m->logger, SMTPD_LOG_WARNING,
		    "%s cannot be written: %s; hosts that do TLS now are "
		    "not remembered",
		    SMTPD_TLS_MEMORY_FILE, strerror(errno));
	m->failed = true;
}

static int
write_line(int fd, const struct host *h)
{
	char line[LINE_MAX_SIZE];
	int len = snprintf(
	    line, sizeof(line), "%lu %s\n", (unsigned long)h->day, h->name);

	return smtpd__file_write(fd, line, (size_t)len);
}

/* Write the file anew, with a line for each host. */
static void
rewrite_file(struct smtpd_tls_memory *m)
{
	int fd = openat(
	    m->dir, NEW_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int status = fd != -1 ? 0 : -1;

	m->lines = 0;
	for (const struct host *h = m->all; status == 0 && h != NULL;
	    h = h->next, m->lines++)
		status = write_line(fd, h);
	if (fd != -1)
		close(fd);
	if (status == 0)
		status =
		    renameat(m->dir, NEW_FILE, m->dir, SMTPD_TLS_MEMORY_FILE);
	if (status == -1)
		tell_failure(m);
	else
		m->failed = false;
}

static void
append_host(struct smtpd_tls_memory *m, const struct host *h)
{
	int fd = openat(m->dir, SMTPD_TLS_MEMORY_FILE,
	    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (fd == -1 || write_line(fd, h) == -1)
		tell_failure(m);
	else
		m->failed = false;
	if (fd != -1)
		close(fd);
	m->lines++;
}

struct smtpd_tls_memory *
smtpd__tls_memory_create(
    int dir, uint32_t day, const struct smtpd_logger *logger)
{
	struct smtpd_tls_memory *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->dir = dir;
	m->logger = logger;
	if (smtpd__name_table_init(
		&m->table, smtpd__random_below(UINT32_MAX)) == -1) {
		free(m);
		return NULL;
	}
	pthread_mutex_init(&m->lock, NULL);
	read_file(m, day);
	return m;
}

void
smtpd__tls_memory_destroy(struct smtpd_tls_memory *m)
{
	struct host *next;

	if (m == NULL)
		return;
	for (struct host *h = m->all; h != NULL; h = next) {
		next = h->next;
		free(h);
	}
	smtpd__name_table_finish(&m->table);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

void
smtpd__tls_memory_note(
    struct smtpd_tls_memory *m, const char *host, uint32_t day)
{
	size_t len = strlen(host);

	/* A blank or newline would make two lines of one. */
	if (len == 0 || len >= SMTPD_HOSTNAME_SIZE ||
	    strpbrk(host, " \r\n") != NULL)
		return;
	pthread_mutex_lock(&m->lock);
	if (remember_host(m, host, len, day)) {
		if (m->lines >= 2 * (size_t)m->table.count + LINES_MORE)
			rewrite_file(m);
		else
			append_host(m, find_host(m, host));
	}
	pthread_mutex_unlock(&m->lock);
}

bool
smtpd__tls_memory_has(
    struct smtpd_tls_memory *m, const char *host, uint32_t day)
{
	const struct host *h;
	bool has;

	pthread_mutex_lock(&m->lock);
	h = find_host(m, host);
	has = h != NULL && is_fresh(h->day, day);
	pthread_mutex_unlock(&m->lock);
	return has;
}
