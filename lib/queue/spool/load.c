/* SPDX-License-Identifier: MIT */
#include "queue/spool/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "queue/spool/core.h"

/* How often a message is looked for that is being written anew. */
#define TRIES 8

/* How often a message may be unreadable: then what can be read is kept. */
#define TRIES_TO_READ 10

/* The ref of E now.  False when it has ended. */
static bool
read_ref(struct smtpd_spool *s, const struct smtpd_queued_message *e,
    struct smtpd_record_ref *ref)
{
	bool lives;

	pthread_mutex_lock(&s->mutex);
	lives = (e->flags & SMTPD_MESSAGE_ENDED) == 0;
	*ref = e->ref;
	pthread_mutex_unlock(&s->mutex);
	return lives;
}

/* The record of E, wherever it is moved to meanwhile, with no more than
 * BODY_MAX octets of its body. */
static void *
read_record(struct smtpd_spool *s, const struct smtpd_queued_message *e,
    size_t body_max, struct smtpd_journal_record *record, const void **body)
{
	struct smtpd_record_ref ref, now;
	void *memory = NULL;

	for (int i = 0; i < TRIES && memory == NULL; i++) {
		errno = ENOENT;
		if (!read_ref(s, e, &ref))
			return NULL;
		memory = smtpd__journal_read_front(
		    s->journal, ref, body_max, record, body);
		if (memory != NULL || (errno != ENOENT && errno != EBADMSG))
			return memory;
		if (!read_ref(s, e, &now)) {
			errno = ENOENT;
			return NULL;
		}
		if (ref.value == now.value) {
			/* It was live there. */
			errno = EBADMSG;
			return NULL;
		}
	}
	return memory;
}

/* Decode the head of RECORD to M.  False with errno when it is not that of
 * E. */
static bool
decode_head(const struct smtpd_queued_message *e,
    const struct smtpd_journal_record *record, struct smtpd_record_message *m)
{
	uint64_t content;

	errno = EBADMSG;
	if (record->type != SMTPD_RECORD_MESSAGE ||
	    !smtpd__record_get_message(record->head, record->head_len, m) ||
	    m->id != e->id || m->envelope_len > record->body_len)
		return false;
	content = record->body_len - m->envelope_len;
	return (m->flags & SMTPD_MESSAGE_LARGE) != 0 ? content == 0
						     : content == m->size;
}

void *
smtpd__spool_load_record(struct smtpd_spool *s,
    const struct smtpd_queued_message *e, struct smtpd_journal_record *record,
    struct smtpd_record_message *m, const void **body)
{
	void *memory = read_record(s, e, SIZE_MAX, record, body);

	if (memory == NULL || decode_head(e, record, m))
		return memory;
	free(memory);
	errno = EBADMSG;
	return NULL;
}

/* The same without the content: first the head, which says how long the
 * envelope is, then that too. */
static void *
read_envelope(struct smtpd_spool *s, const struct smtpd_queued_message *e,
    struct smtpd_record_message *m, const void **body)
{
	struct smtpd_journal_record record;
	size_t len = 0;

	for (int i = 0; i < 2; i++) {
		void *memory = read_record(s, e, len, &record, body);

		if (memory == NULL)
			return NULL;
		if (decode_head(e, &record, m) && m->envelope_len <= len)
			return memory;
		len = m->envelope_len;
		free(memory);
	}
	errno = EBADMSG;
	return NULL;
}

/* Fill in LOADED, with a copy of BODY behind its recipients. */
static int
fill_loaded(struct smtpd_spool *s, const struct smtpd_record_message *m,
    const void *body, size_t len, struct smtpd_loaded_message *loaded)
{
	size_t rcpts = m->nrcpts * sizeof(struct smtpd_outgoing_rcpt);
	char *copy;

	loaded->id = m->id;
	loaded->arrived_ms = m->arrived_ms;
	loaded->size = m->size;
	loaded->crc = m->crc;
	loaded->memory = malloc(rcpts + len);
	if (loaded->memory == NULL)
		return -1;
	copy = (char *)loaded->memory + rcpts;
	memcpy(copy, body, len);
	loaded->envelope.nrcpts = m->nrcpts;
	loaded->envelope.eight_bit = (m->flags & SMTPD_MESSAGE_EIGHT_BIT) != 0;
	loaded->envelope.utf8 = (m->flags & SMTPD_MESSAGE_UTF8) != 0;
	loaded->envelope.utf8_wanted =
	    (m->flags & SMTPD_MESSAGE_UTF8_WANTED) != 0;
	loaded->envelope.long_lines =
	    (m->flags & SMTPD_MESSAGE_LONG_LINES) != 0;
	loaded->envelope.requiretls =
	    (m->flags & SMTPD_MESSAGE_REQUIRETLS) != 0;
	loaded->envelope.tls_optional =
	    (m->flags & SMTPD_MESSAGE_TLS_OPTIONAL) != 0;
	if (!smtpd__record_get_envelope(
		copy, m->envelope_len, &loaded->envelope, loaded->memory)) {
		errno = EBADMSG;
		return -1;
	}
	if ((m->flags & SMTPD_MESSAGE_LARGE) == 0) {
		loaded->content = copy + m->envelope_len;
		return 0;
	}
	loaded->large = smtpd__content_open(s->journal, loaded->id);
	if (loaded->large == NULL)
		return -1;
	if (loaded->large->size == loaded->size)
		return 0;
	errno = EBADMSG;
	return -1;
}

/* Fill in LOADED from BODY, LEN octets of the record that MEMORY is, which is
 * freed; NULL: it could not be read. */
static int
finish_load(struct smtpd_spool *s, const struct smtpd_queued_message *message,
    void *memory, const struct smtpd_record_message *m, const void *body,
    size_t len, struct smtpd_loaded_message *loaded)
{
	struct smtpd_record_ref ref;
	int status, error;

	*loaded = (struct smtpd_loaded_message){ 0 };
	if (memory == NULL)
		return -1;
	status = fill_loaded(s, m, body, len, loaded);
	error = errno;
	free(memory);
	if (status == 0)
		return 0;
	smtpd__loaded_message_finish(loaded);
	/* Its content may be gone because it has ended. */
	if (!read_ref(s, message, &ref))
		error = ENOENT;
	errno = error;
	return -1;
}

int
smtpd__spool_load(struct smtpd_spool *s,
    const struct smtpd_queued_message *message,
    struct smtpd_loaded_message *loaded)
{
	struct smtpd_journal_record record;
	struct smtpd_record_message m;
	const void *body;
	void *memory = smtpd__spool_load_record(s, message, &record, &m, &body);

	return finish_load(s, message, memory, &m, body,
	    memory != NULL ? record.body_len : 0, loaded);
}

int
smtpd__spool_load_envelope(struct smtpd_spool *s,
    const struct smtpd_queued_message *message,
    struct smtpd_loaded_message *loaded)
{
	struct smtpd_record_message m = { .size = 0 };
	const void *body;
	void *memory = read_envelope(s, message, &m, &body);

	m.flags &= (uint16_t)~SMTPD_MESSAGE_LARGE;
	m.size = 0;
	return finish_load(
	    s, message, memory, &m, body, m.envelope_len, loaded);
}

bool
smtpd__spool_load_failed(struct smtpd_spool *s,
    struct smtpd_queued_message *message, int error, bool expired)
{
	bool busy = error == ENOMEM || error == EMFILE || error == ENFILE;
	bool damaged = error == EBADMSG || error == ENOENT;
	unsigned tries;
	char id[SMTPD_ID_SIZE];

	pthread_mutex_lock(&s->mutex);
	tries =
	    (message->flags & SMTPD_MESSAGE_UNREAD) / SMTPD_MESSAGE_UNREAD_ONCE;
	/* A file of another user is an operator's mistake, and no damage. */
	if (!busy && error != EACCES && tries < TRIES_TO_READ) {
		message->flags += SMTPD_MESSAGE_UNREAD_ONCE;
		tries++;
	}
	pthread_mutex_unlock(&s->mutex);
	smtpd__id_write(message->id, id);
	smtpd__logger_write(&s->settings.logger, SMTPD_LOG_ERROR,
	    "id=%s: the message cannot be read from the disk: %s", id,
	    damaged               ? "it is damaged"
		: error == EACCES ? "its file in large/ belongs to another "
				    "user: chown it to that of the queue"
				  : strerror(error));
	return damaged || tries >= TRIES_TO_READ || (expired && !busy);
}

void
smtpd__spool_load_worked(
    struct smtpd_spool *s, struct smtpd_queued_message *message)
{
	if ((message->flags & SMTPD_MESSAGE_UNREAD) == 0)
		return;
	pthread_mutex_lock(&s->mutex);
	message->flags &= (uint32_t)~SMTPD_MESSAGE_UNREAD;
	pthread_mutex_unlock(&s->mutex);
}
