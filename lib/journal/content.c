/* SPDX-License-Identifier: MIT */
#include "journal/content.h"

struct smtpd_content_writer *
smtpd__content_begin(struct smtpd_journal *j)
{
	return j->contents->begin(j);
}

int
smtpd__content_write(
    struct smtpd_content_writer *w, const void *data, size_t len)
{
	return w->journal->contents->write(w, data, len);
}

int
smtpd__content_publish(struct smtpd_content_writer *w, uint64_t id)
{
	return w->journal->contents->publish(w, id);
}

void
smtpd__content_abandon(struct smtpd_content_writer *w)
{
	if (w != NULL)
		w->journal->contents->abandon(w);
}

struct smtpd_content_reader *
smtpd__content_open(struct smtpd_journal *j, uint64_t id)
{
	return j->contents->open(j, id);
}

ssize_t
smtpd__content_read_at(const struct smtpd_content_reader *r, uint64_t offset,
    void *buf, size_t len)
{
	return r->journal->contents->read_at(r, offset, buf, len);
}

void
smtpd__content_close(struct smtpd_content_reader *r)
{
	if (r != NULL)
		r->journal->contents->close(r);
}

void
smtpd__content_remove(struct smtpd_journal *j, uint64_t id)
{
	j->contents->remove(j, id);
}

int
smtpd__content_each(
    struct smtpd_journal *j, int (*fn)(void *user, uint64_t id), void *user)
{
	return j->contents->each(j, fn, user);
}

int
smtpd__content_keep(
    struct smtpd_journal *j, const struct smtpd_content_kept *kept)
{
	return j->contents->keep(j, kept);
}

int
smtpd__content_keep_large(struct smtpd_journal *j, uint64_t id, const char *why)
{
	return j->contents->keep_large(j, id, why);
}

uint64_t
smtpd__content_count_kept(struct smtpd_journal *j)
{
	return j->contents->count_kept(j);
}
