/* SPDX-License-Identifier: MIT */
#include "queue/spool/add.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <smtpd/address.h>

#include "base/text.h"
#include "queue/spool/core.h"
#include "queue/spool/messages.h"

/* Octets of the jobs and of the recipients of a message in the journal. */
#define JOBS_SIZE_MAX  (SMTPD_JOURNAL_HEAD_MAX / 2)
#define RCPTS_SIZE_MAX (SMTPD_JOURNAL_GROUP_MAX / 2)

/* One recipient, to be sorted. */
struct sorted {
	char *key; /* a domain outside ASCII, in A-labels, or NULL */
	const char *domain;
	size_t len;
	size_t rcpt;
	uint32_t job; /* of those by domain */
};

/* The recipients by domain. */
struct groups {
	struct sorted *sorted;
	size_t *order;
	uint32_t njobs;
};

/* Give E the place of its id in the table, where it cannot be seen yet. */
static int
insert_pending(struct smtpd_spool *s, struct smtpd_queued_message *e)
{
	int error = 0;

	e->flags |= SMTPD_MESSAGE_PENDING;
	pthread_mutex_lock(&s->mutex);
	if (smtpd__message_table_find(&s->table, e->id) != NULL)
		error = EEXIST;
	else if (!smtpd__message_table_insert(&s->table, e))
		error = ENOMEM;
	pthread_mutex_unlock(&s->mutex);
	errno = error;
	return error == 0 ? 0 : -1;
}

/* By domain, then in the order in which they came. */
static int
compare_domains(const void *a, const void *b)
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

/* Whether RCPT can be kept, and what its domain is: U-labels and A-labels of
 * one name are one domain. */
static bool
find_domain(const struct smtpd_outgoing_rcpt *rcpt, struct sorted *out)
{
	const char *at = strrchr(rcpt->address, '@');
	char key[SMTPD_SPOOL_DOMAIN_MAX + 1];

	if (at == NULL || !smtpd__record_is_text(rcpt->address) ||
	    !smtpd__record_is_text(rcpt->notify) ||
	    !smtpd__record_is_text(rcpt->orcpt))
		return false;
	out->domain = at + 1;
	if (!smtpd__text_is_ascii(at, strlen(at)) &&
	    smtpd_address_domain_key(at + 1, key, sizeof(key)) >= 0) {
		out->key = strdup(key);
		if (out->key == NULL)
			return false;
		out->domain = out->key;
	}
	out->len = strlen(out->domain);
	return out->len > 0 && out->len <= SMTPD_SPOOL_DOMAIN_MAX &&
	    memchr(out->domain, ' ', out->len) == NULL;
}

size_t
smtpd__spool_add_rcpts_max(const struct smtpd_spool *s)
{
	size_t max = s->journal->group_max;

	return max < RCPTS_SIZE_MAX ? max : RCPTS_SIZE_MAX;
}

static void
free_groups(struct groups *g, size_t nrcpts)
{
	for (size_t i = 0; g->sorted != NULL && i < nrcpts; i++)
		free(g->sorted[i].key);
	free(g->sorted);
	free(g->order);
}

/* Sort the recipients of E by domain, and refuse more of them than there is
 * room for in a record, also when that is written anew.  The lists of G are to
 * be freed in any case. */
static int
group_rcpts(const struct smtpd_spool *s,
    const struct smtpd_outgoing_envelope *e, struct groups *g)
{
	size_t jobs_size = 0, rcpts_size = 0;

	errno = EINVAL;
	if (e->sender == NULL || e->nrcpts == 0 ||
	    !smtpd__record_is_text(e->sender) ||
	    !smtpd__record_is_text(e->ret) || !smtpd__record_is_text(e->envid))
		return -1;
	errno = EFBIG;
	if (e->nrcpts > SMTPD_RECORD_RCPTS_MAX)
		return -1;
	g->sorted = calloc(e->nrcpts, sizeof(*g->sorted));
	g->order = calloc(e->nrcpts, sizeof(*g->order));
	errno = ENOMEM;
	if (g->sorted == NULL || g->order == NULL)
		return -1;
	errno = EINVAL;
	for (size_t i = 0; i < e->nrcpts; i++) {
		g->sorted[i].rcpt = i;
		if (!find_domain(&e->rcpts[i], &g->sorted[i]))
			return -1;
		rcpts_size += smtpd__record_rcpt_size(&e->rcpts[i]);
	}
	qsort(g->sorted, e->nrcpts, sizeof(*g->sorted), compare_domains);
	for (size_t i = 0; i < e->nrcpts; i++) {
		struct sorted *r = &g->sorted[i];

		if (i == 0 || r->len != r[-1].len ||
		    !smtpd__text_same_bytes(r->domain, r[-1].domain, r->len)) {
			g->njobs++;
			jobs_size += SMTPD_RECORD_JOB_LEN + r->len;
		}
		r->job = g->njobs - 1;
		g->order[i] = r->rcpt;
	}
	errno = EFBIG;
	return g->njobs <= SMTPD_RECORD_JOBS_MAX &&
		jobs_size <= JOBS_SIZE_MAX &&
		rcpts_size <= smtpd__spool_add_rcpts_max(s) &&
		jobs_size + rcpts_size <= s->journal->group_max
	    ? 0
	    : -1;
}

int
smtpd__spool_add_check(
    const struct smtpd_spool *s, const struct smtpd_outgoing_envelope *e)
{
	struct groups g = { 0 };
	int status = group_rcpts(s, e, &g);
	int error = errno;

	free_groups(&g, e->nrcpts);
	errno = error;
	return status;
}

/* Fill in the jobs of E, and append them to JOBS. */
static int
add_jobs(struct smtpd_spool *s, const struct groups *g,
    const struct smtpd_outgoing_envelope *envelope,
    struct smtpd_queued_message *e, struct smtpd_pack *jobs)
{
	const size_t nrcpts = envelope->nrcpts;
	struct smtpd_delivery_job *job = e->jobs;

	for (size_t i = 0; i < nrcpts; job++) {
		char domain[SMTPD_SPOOL_DOMAIN_MAX];
		const struct sorted *first = &g->sorted[i];
		struct smtpd_record_job record = {
			.domain = domain,
			.domain_len = first->len,
			.due = e->arrived,
		};
		struct smtpd_spool_addressees mail = { .envelope = envelope };

		job->first = (uint32_t)i;
		while (i < nrcpts && g->sorted[i].job == first->job)
			i++;
		job->count = (uint32_t)i - job->first;
		job->due = e->arrived;
		record.count = job->count;
		mail.numbers = g->order + job->first;
		mail.count = job->count;
		for (size_t k = 0; k < first->len; k++)
			domain[k] = (char)smtpd__text_to_lower(
			    (unsigned char)first->domain[k]);
		smtpd__record_put_job(jobs, &record);
		if (!smtpd__spool_messages_bind_destination(
			s, job, domain, first->len, &mail)) {
			errno = ENOMEM;
			return -1;
		}
	}
	return 0;
}

/* Make the message of MAIL, with its place in the table, and append its jobs to
 * JOBS.  NULL with errno. */
static struct smtpd_queued_message *
make_message(struct smtpd_spool *s, const struct smtpd_spool_mail *mail,
    const struct groups *g, struct smtpd_pack *jobs)
{
	const struct smtpd_outgoing_envelope *envelope = &mail->envelope;
	struct smtpd_queued_message *e = smtpd__queued_message_create(
	    mail->id != 0 ? mail->id : smtpd__spool_choose_id(s, 0), g->njobs);

	if (e == NULL)
		return NULL;
	e->size = mail->content->size;
	e->arrived = smtpd__spool_clock_now(s);
	e->flags = mail->flags & (SMTPD_MESSAGE_HELD | SMTPD_MESSAGE_AUTOMATIC);
	if (mail->content->large != NULL)
		e->flags |= SMTPD_MESSAGE_LARGE;
	if (envelope->sender[0] == '\0')
		e->flags |= SMTPD_MESSAGE_NULL_SENDER;
	if (envelope->eight_bit)
		e->flags |= SMTPD_MESSAGE_EIGHT_BIT;
	if (envelope->utf8)
		e->flags |= SMTPD_MESSAGE_UTF8;
	if (envelope->utf8_wanted)
		e->flags |= SMTPD_MESSAGE_UTF8_WANTED;
	if (envelope->long_lines)
		e->flags |= SMTPD_MESSAGE_LONG_LINES;
	if (envelope->requiretls)
		e->flags |= SMTPD_MESSAGE_REQUIRETLS;
	if (envelope->tls_optional)
		e->flags |= SMTPD_MESSAGE_TLS_OPTIONAL;
	if (add_jobs(s, g, envelope, e, jobs) == 0 && insert_pending(s, e) == 0)
		return e;
	smtpd__spool_messages_free(s, e);
	return NULL;
}

/* Write the record, whose jobs are in JOBS. */
static int
encode_record(struct smtpd_spool *s, const struct smtpd_spool_mail *mail,
    const struct groups *g, const struct smtpd_pack *jobs,
    struct smtpd_addition *a)
{
	const struct smtpd_spool_content *c = a->content;
	struct smtpd_stamp stamp = smtpd__spool_clock_stamp(s);
	struct smtpd_record_message m = {
		.stamp = stamp,
		.id = a->message->id,
		.arrived_ms = stamp.wall_ms,
		.arrived = a->message->arrived,
		.size = c->size,
		.crc = c->crc,
		.flags =
		    (uint16_t)(a->message->flags & SMTPD_RECORD_ENTRY_FLAGS),
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
	a->record = (struct smtpd_journal_record){
		.type = SMTPD_RECORD_MESSAGE,
		.subject = a->message->id,
		.live = true,
		.head = a->head.data,
		.head_len = a->head.len,
		.body = a->body,
		.body_count = a->published ? 1 : 2,
	};
	return 0;
}

int
smtpd__spool_add_begin(struct smtpd_spool *s,
    const struct smtpd_spool_mail *mail, struct smtpd_addition *a)
{
	struct groups g = { 0 };
	struct smtpd_pack jobs = { 0 };
	int status = -1;
	int error;

	*a = (struct smtpd_addition){ .content = mail->content };
	errno = mail->content->error;
	if (errno == 0)
		status = group_rcpts(s, &mail->envelope, &g);
	if (status == 0) {
		a->message = make_message(s, mail, &g, &jobs);
		status = a->message != NULL ? 0 : -1;
	}
	if (status == 0 && a->content->large != NULL) {
		status =
		    smtpd__spool_content_publish(a->content, a->message->id);
		a->published = status == 0;
	}
	if (status == 0)
		status = encode_record(s, mail, &g, &jobs, a);
	error = errno;
	smtpd__pack_free(&jobs);
	free_groups(&g, mail->envelope.nrcpts);
	if (status == -1)
		smtpd__spool_add_cancel(s, a);
	errno = error;
	return status;
}

/* Free what is not needed any more. */
static void
free_parts(struct smtpd_addition *a)
{
	smtpd__pack_free(&a->head);
	smtpd__pack_free(&a->envelope);
	smtpd__spool_content_destroy(a->content);
	a->content = NULL;
}

struct smtpd_queued_message *
smtpd__spool_add_finish(struct smtpd_spool *s, struct smtpd_addition *a)
{
	struct smtpd_queued_message *e = a->message;

	pthread_mutex_lock(&s->mutex);
	e->ref = a->record.ref;
	e->record_size = a->record.size;
	e->pins++;
	e->flags &= (uint32_t)~SMTPD_MESSAGE_PENDING;
	s->count++;
	pthread_mutex_unlock(&s->mutex);
	free_parts(a);
	return e;
}

void
smtpd__spool_add_cancel(struct smtpd_spool *s, struct smtpd_addition *a)
{
	int error = errno;

	if (a->published)
		smtpd__content_remove(s->journal, a->message->id);
	if (a->message != NULL) {
		pthread_mutex_lock(&s->mutex);
		smtpd__message_table_remove(&s->table, a->message);
		pthread_mutex_unlock(&s->mutex);
		smtpd__spool_messages_free(s, a->message);
	}
	a->message = NULL;
	free_parts(a);
	errno = error;
}

int
smtpd__spool_add(struct smtpd_spool *s, const struct smtpd_spool_mail *mail,
    struct smtpd_queued_message **message)
{
	struct smtpd_addition a;

	*message = NULL;
	if (smtpd__spool_add_begin(s, mail, &a) == -1)
		return -1;
	if (smtpd__journal_append(s->journal, &a.record, 1, 0) == -1) {
		smtpd__spool_add_cancel(s, &a);
		return -1;
	}
	*message = smtpd__spool_add_finish(s, &a);
	return 0;
}
