/* SPDX-License-Identifier: MIT */
#include "queue/spool/addition.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "queue/spool/messages.h"

/* One recipient, to be sorted. */
struct sorted {
	const char *domain;
	size_t len;
	size_t rcpt;
};

/* The recipients by domain. */
struct groups {
	struct sorted *sorted;
	size_t *order;
	uint32_t njobs;
};

/* Give E the id that is wanted, or another, and its place in the table, where
 * it cannot be seen yet. */
static int
enlist(struct smtpd_spool *s, struct smtpd_queued_message *e, uint64_t wanted)
{
	bool inserted;

	pthread_mutex_lock(&s->mutex);
	if (wanted == 0 || wanted > SMTPD_RECORD_ID_MAX ||
	    smtpd__message_table_find(&s->table, wanted) != NULL)
		wanted = smtpd__spool_messages_new_id(s);
	e->id = wanted;
	e->flags |= SMTPD_MESSAGE_PENDING;
	inserted = smtpd__message_table_insert(&s->table, e);
	pthread_mutex_unlock(&s->mutex);
	if (inserted)
		return 0;
	errno = ENOMEM;
	return -1;
}

static void
strike_off(struct smtpd_spool *s, const struct smtpd_queued_message *e)
{
	pthread_mutex_lock(&s->mutex);
	smtpd__message_table_remove(&s->table, e);
	pthread_mutex_unlock(&s->mutex);
}

/* By domain, then in the order in which they came. */
static int
compare(const void *a, const void *b)
{
	const struct sorted *x = a;
	const struct sorted *y = b;
	size_t len = x->len < y->len ? x->len : y->len;

	for (size_t i = 0; i < len; i++) {
		int c = smtpd__text_to_lower((unsigned char)x->domain[i]);
		int d = smtpd__text_to_lower((unsigned char)y->domain[i]);

		if (c != d)
			return c - d;
	}
	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return x->rcpt < y->rcpt ? -1 : 1;
}

static bool
same_domain(const struct sorted *a, const struct sorted *b)
{
	return a->len == b->len &&
	    smtpd__text_same_bytes(a->domain, b->domain, a->len);
}

/* Whether RCPT can be kept, and what its domain is. */
static bool
inspect(const struct smtpd_outgoing_rcpt *rcpt, struct sorted *out)
{
	const char *at = strrchr(rcpt->address, '@');

	if (at == NULL || !smtpd__record_is_text(rcpt->address) ||
	    !smtpd__record_is_text(rcpt->notify) ||
	    !smtpd__record_is_text(rcpt->orcpt))
		return false;
	out->domain = at + 1;
	out->len = strlen(at + 1);
	return out->len > 0 && out->len <= SMTPD_SPOOL_DOMAIN_MAX &&
	    memchr(out->domain, ' ', out->len) == NULL;
}

static bool
is_sound(const struct smtpd_outgoing_envelope *e)
{
	return e->sender != NULL && e->nrcpts > 0 &&
	    smtpd__record_is_text(e->sender) && smtpd__record_is_text(e->ret) &&
	    smtpd__record_is_text(e->envid);
}

/* The lists of G are to be freed in any case. */
static int
group(const struct smtpd_outgoing_envelope *envelope, struct groups *g)
{
	*g = (struct groups){ 0 };
	errno = EINVAL;
	if (!is_sound(envelope))
		return -1;
	errno = EFBIG;
	if (envelope->nrcpts > SMTPD_RECORD_RCPTS_MAX)
		return -1;
	g->sorted = calloc(envelope->nrcpts, sizeof(*g->sorted));
	g->order = calloc(envelope->nrcpts, sizeof(*g->order));
	errno = ENOMEM;
	if (g->sorted == NULL || g->order == NULL)
		return -1;
	for (size_t i = 0; i < envelope->nrcpts; i++) {
		g->sorted[i].rcpt = i;
		if (inspect(&envelope->rcpts[i], &g->sorted[i]))
			continue;
		errno = EINVAL;
		return -1;
	}
	qsort(g->sorted, envelope->nrcpts, sizeof(*g->sorted), compare);
	for (size_t i = 0; i < envelope->nrcpts; i++) {
		g->order[i] = g->sorted[i].rcpt;
		if (i == 0 || !same_domain(&g->sorted[i - 1], &g->sorted[i]))
			g->njobs++;
	}
	errno = EFBIG;
	return g->njobs <= SMTPD_RECORD_JOBS_MAX ? 0 : -1;
}

/* Fill in the jobs of E, and append them to HEAD. */
static int
add_jobs(struct smtpd_spool *s, const struct groups *g, size_t nrcpts,
    struct smtpd_queued_message *e, uint32_t now, struct smtpd_pack *jobs)
{
	struct smtpd_delivery_job *job = e->jobs;

	for (size_t i = 0; i < nrcpts; job++) {
		char domain[SMTPD_SPOOL_DOMAIN_MAX];
		const struct sorted *first = &g->sorted[i];
		struct smtpd_record_job record = {
			.domain = domain,
			.domain_len = first->len,
			.due = now,
		};

		job->first = (uint32_t)i;
		while (i < nrcpts && same_domain(first, &g->sorted[i]))
			i++;
		job->count = (uint32_t)i - job->first;
		job->due = now;
		record.count = job->count;
		for (size_t k = 0; k < first->len; k++)
			domain[k] = (char)smtpd__text_to_lower(
			    (unsigned char)first->domain[k]);
		smtpd__record_put_job(jobs, &record);
		if (!smtpd__spool_messages_bind_destination(
			s, job, domain, first->len)) {
			errno = ENOMEM;
			return -1;
		}
	}
	return 0;
}

/* Write the record, whose jobs are in JOBS. */
static int
encode(struct smtpd_spool *s, const struct smtpd_spool_mail *mail,
    const struct groups *g, const struct smtpd_pack *jobs,
    struct smtpd_addition *a)
{
	const struct smtpd_spool_content *c = a->content;
	struct smtpd_stamp stamp = smtpd__spool_core_stamp(s);
	struct smtpd_record_message m = {
		.stamp = stamp,
		.id = a->message->id,
		.arrived_ms = stamp.wall_ms,
		.arrived = a->message->arrived,
		.size = c->size,
		.crc = c->crc,
		.flags = a->message->flags & SMTPD_RECORD_ENTRY_FLAGS,
		.njobs = a->message->njobs,
	};

	smtpd__record_put_envelope(&a->envelope, &mail->envelope, g->order);
	m.envelope_len = (uint32_t)a->envelope.len;
	smtpd__record_put_message(&a->head, &m);
	smtpd__pack_bytes(&a->head, jobs->data, jobs->len);
	a->body[0] = (struct iovec){ a->envelope.data, a->envelope.len };
	a->body[1] = (struct iovec){ c->data, c->len };
	if (a->envelope.failed || a->head.failed || jobs->failed) {
		errno = ENOMEM;
		return -1;
	}
	/* There must be room for more when it is written anew. */
	if (a->head.len <= SMTPD_JOURNAL_HEAD_MAX / 2 &&
	    a->envelope.len <= SMTPD_JOURNAL_GROUP_MAX / 2)
		return 0;
	errno = EFBIG;
	return -1;
}

static unsigned
flags_of(const struct smtpd_spool_mail *mail)
{
	const struct smtpd_outgoing_envelope *e = &mail->envelope;
	unsigned flags =
	    mail->flags & (SMTPD_MESSAGE_HELD | SMTPD_MESSAGE_AUTOMATIC);

	if (smtpd__spool_content_is_large(mail->content))
		flags |= SMTPD_MESSAGE_LARGE;
	if (e->sender[0] == '\0')
		flags |= SMTPD_MESSAGE_NULL_SENDER;
	if (e->eight_bit)
		flags |= SMTPD_MESSAGE_EIGHT_BIT;
	if (e->utf8)
		flags |= SMTPD_MESSAGE_UTF8;
	return flags;
}

/* Make the message of MAIL and its record.  On failure what was made is in
 * A. */
static int
prepare(struct smtpd_spool *s, const struct smtpd_spool_mail *mail,
    const struct groups *g, struct smtpd_addition *a)
{
	struct smtpd_pack jobs = { 0 };
	struct smtpd_queued_message *e =
	    smtpd__spool_messages_create(0, g->njobs);
	int status;

	if (e == NULL)
		return -1;
	e->size = mail->content->size;
	e->arrived = smtpd__spool_now(s);
	e->flags = (uint16_t)flags_of(mail);
	status = add_jobs(s, g, mail->envelope.nrcpts, e, e->arrived, &jobs);
	if (status == 0)
		status = enlist(s, e, mail->id);
	if (status == -1) {
		smtpd__spool_messages_free(s, e);
		smtpd__pack_free(&jobs);
		return -1;
	}
	a->message = e;
	if (smtpd__spool_content_is_large(mail->content)) {
		status = smtpd__spool_content_publish(mail->content, e->id);
		a->published = status == 0;
	}
	if (status == 0)
		status = encode(s, mail, g, &jobs, a);
	smtpd__pack_free(&jobs);
	return status;
}

int
smtpd__addition_begin(struct smtpd_spool *s,
    const struct smtpd_spool_mail *mail, struct smtpd_addition *a)
{
	struct groups g = { 0 };
	int status = -1;
	int error;

	*a = (struct smtpd_addition){ .content = mail->content };
	errno = mail->content->error;
	if (errno == 0 && group(&mail->envelope, &g) == 0)
		status = prepare(s, mail, &g, a);
	error = errno;
	free(g.sorted);
	free(g.order);
	if (status == -1)
		smtpd__addition_cancel(s, a);
	errno = error;
	return status;
}

void
smtpd__addition_record(
    const struct smtpd_addition *a, struct smtpd_journal_record *record)
{
	*record = (struct smtpd_journal_record){
		.type = SMTPD_RECORD_MESSAGE,
		.subject = a->message->id,
		.live = true,
		.head = a->head.data,
		.head_len = a->head.len,
		.body = a->body,
		.body_count = a->published ? 1 : 2,
	};
}

/* Free what is not needed any more. */
static void
clear(struct smtpd_addition *a)
{
	smtpd__pack_free(&a->head);
	smtpd__pack_free(&a->envelope);
	smtpd__spool_content_destroy(a->content);
	a->content = NULL;
}

struct smtpd_queued_message *
smtpd__addition_finish(struct smtpd_spool *s, struct smtpd_addition *a,
    const struct smtpd_journal_record *record)
{
	struct smtpd_queued_message *e = a->message;

	pthread_mutex_lock(&s->mutex);
	e->ref = record->ref;
	e->record_size = record->size;
	e->pins++;
	e->flags &= (uint16_t)~SMTPD_MESSAGE_PENDING;
	s->count++;
	pthread_mutex_unlock(&s->mutex);
	clear(a);
	return e;
}

void
smtpd__addition_cancel(struct smtpd_spool *s, struct smtpd_addition *a)
{
	int error = errno;

	if (a->published)
		smtpd__content_remove(s->journal, a->message->id);
	if (a->message != NULL) {
		strike_off(s, a->message);
		smtpd__spool_messages_free(s, a->message);
	}
	a->message = NULL;
	clear(a);
	errno = error;
}
