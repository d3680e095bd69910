/* SPDX-License-Identifier: MIT */
#include "journal/disk/scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/little.h"
#include "journal/disk/format.h"

/* How much of a damaged range is told of at a time. */
#define REPORT_MAX 262144u

/* What may be found at a place. */
enum finding {
	FOUND_NOTHING,
	FOUND_HEAD,   /* intact, the body is not */
	FOUND_RECORD, /* intact */
	FOUND_UNREAD, /* the same but for the body, which cannot be read */
	FOUND_ERROR,  /* ENOMEM, or nothing can be read there */
};

/* Look for the header and head of a record at AT. */
static enum finding
find_head(const struct smtpd_disk_scan *s, uint32_t at,
    struct smtpd_disk_record_header *h)
{
	const uint8_t *p;

	if (s->end < SMTPD_DISK_RECORD_HEADER ||
	    at > s->end - SMTPD_DISK_RECORD_HEADER)
		return FOUND_NOTHING;
	p = smtpd__disk_window_at(s->window, at, SMTPD_DISK_RECORD_HEADER);
	if (p == NULL)
		return FOUND_ERROR;
	if (!smtpd__disk_format_get_record(s->mark, p, h) ||
	    h->sequence < s->next || h->sequence > s->upto ||
	    smtpd__disk_format_record_size(h) > s->end - at)
		return FOUND_NOTHING;
	p = smtpd__disk_window_at(
	    s->window, at, SMTPD_DISK_RECORD_HEADER + h->head_len);
	if (p == NULL)
		return FOUND_ERROR;
	return smtpd__disk_format_head_checks(s->crc, h, p) ? FOUND_HEAD
							    : FOUND_NOTHING;
}

/* The same, and for its body; *P is all of it, or its head. */
static enum finding
find_record(const struct smtpd_disk_scan *s, uint32_t at,
    struct smtpd_disk_record_header *h, const uint8_t **p)
{
	enum finding found = find_head(s, at, h);

	if (found != FOUND_HEAD)
		return found;
	*p = smtpd__disk_window_at(
	    s->window, at, smtpd__disk_format_record_size(h));
	if (*p == NULL && errno == ENOMEM)
		return FOUND_ERROR;
	if (*p == NULL) {
		*p = smtpd__disk_window_at(
		    s->window, at, SMTPD_DISK_RECORD_HEADER + h->head_len);
		return *p != NULL ? FOUND_UNREAD : FOUND_ERROR;
	}
	return smtpd__disk_format_body_checks(s->crc, h, *p) ? FOUND_RECORD
							     : FOUND_HEAD;
}

/* Move *AT on to where the mark is next, or to the end. */
static int
find_mark(const struct smtpd_disk_scan *s, uint32_t *at)
{
	while (*at < s->end) {
		uint32_t len = s->end - *at < SMTPD_DISK_PAGE ? s->end - *at
							      : SMTPD_DISK_PAGE;
		const uint8_t *p = smtpd__disk_window_at(s->window, *at, len);

		if (p == NULL)
			return -1;
		for (uint32_t i = 0; i + 8 <= len; i += 8) {
			if (smtpd_get_u32(p + i) == s->mark) {
				*at += i;
				return 0;
			}
		}
		*at += len;
	}
	return 0;
}

/*
 * From FROM, find the next head of a record: *AT, or the end.  Where the end of
 * the records is not known, look further until one says that what is missing
 * was once durable.
 */
static enum finding
find_next(struct smtpd_disk_scan *s, uint32_t from, uint32_t *at)
{
	enum finding result = FOUND_NOTHING;
	struct smtpd_disk_record_header h;

	*at = s->end;
	while (*at == s->end || s->known < s->next) {
		enum finding found;

		if (find_mark(s, &from) == -1)
			return FOUND_ERROR;
		if (from >= s->end)
			break;
		found = find_head(s, from, &h);
		if (found == FOUND_ERROR)
			return found;
		if (found == FOUND_NOTHING) {
			from += 8;
			continue;
		}
		if (result == FOUND_NOTHING)
			*at = from;
		result = found;
		if (h.durable > s->known)
			s->known = h.durable;
		if (s->sealed)
			break;
		from += smtpd__disk_format_record_size(&h);
	}
	return result;
}

int
smtpd__disk_scan_report(
    struct smtpd_disk_scan *s, uint64_t from, uint64_t to, const char *why)
{
	bool cut = to > s->window->file_size;

	if (cut)
		to = s->window->file_size;
	while (from < to) {
		size_t len = to - from < REPORT_MAX ? to - from : REPORT_MAX;
		const uint8_t *p = smtpd__disk_window_at(s->window, from, len);

		if (p == NULL)
			return -1;
		s->damaged(s->user, from, p, len, why);
		from += len;
	}
	if (cut)
		s->damaged(s->user, to, NULL, 0, "the file ends too early");
	return 0;
}

/* Keep a copy of RECORD until its group is complete. */
static int
group_add(struct smtpd_disk_scan *s, const struct smtpd_journal_record *record)
{
	if (s->group_count == s->group_room) {
		size_t room = s->group_room * 2 + 8;
		struct smtpd_journal_record *group =
		    realloc(s->group, room * sizeof(*group));

		if (group == NULL)
			return -1;
		s->group = group;
		s->group_room = room;
	}
	if (s->heads_room - s->heads_len < record->head_len) {
		size_t room = s->heads_room * 2 + record->head_len + 256;
		uint8_t *heads = realloc(s->heads, room);

		if (heads == NULL)
			return -1;
		s->heads = heads;
		s->heads_room = room;
	}
	s->group[s->group_count++] = *record;
	if (record->head_len > 0)
		memcpy(s->heads + s->heads_len, record->head, record->head_len);
	s->heads_len += record->head_len;
	return 0;
}

static int
group_deliver(struct smtpd_disk_scan *s)
{
	const uint8_t *head = s->heads;
	int rc = 0;

	for (size_t i = 0; i < s->group_count && rc == 0; i++) {
		s->group[i].head = head;
		head += s->group[i].head_len;
		rc = s->record(s->user, &s->group[i]);
	}
	s->group_count = 0;
	s->heads_len = 0;
	return rc;
}

/* From FROM to TO nothing is to become a record later. */
static void
add_void(struct smtpd_disk_scan *s, uint32_t from, uint32_t to)
{
	if (s->void_count > 0 && s->voids[s->void_count - 1].to == from)
		s->voids[s->void_count - 1].to = to;
	else
		s->voids[s->void_count++] =
		    (struct smtpd_disk_range){ from, to };
}

/* Pass over the intact record at AT, whose group is not whole. */
static int
skip_record(struct smtpd_disk_scan *s, const struct smtpd_disk_record_header *h)
{
	uint32_t to = s->at + smtpd__disk_format_record_size(h);

	if (smtpd__disk_scan_report(
		s, s->at, to, "the rest of a group that is not whole") == -1)
		return -1;
	add_void(s, s->at, to);
	s->at = to;
	s->next = h->sequence + 1;
	s->skipping = (h->flags & SMTPD_DISK_MORE) != 0;
	return 0;
}

/* Give an intact record to the caller, or keep it until its group is
 * complete. */
static int
accept_record(struct smtpd_disk_scan *s,
    const struct smtpd_disk_record_header *h, const uint8_t *p)
{
	struct smtpd_journal_record record = {
		.sequence = h->sequence,
		.ref = smtpd__disk_format_ref(s->number, s->at),
		.size = smtpd__disk_format_record_size(h),
		.head_len = h->head_len,
		.body_len = h->body_len,
		.type = h->type,
		.head = p + SMTPD_DISK_RECORD_HEADER,
	};

	if (s->skipping)
		return skip_record(s, h);
	s->at += record.size;
	s->next = h->sequence + 1;
	if (s->group_count == 0 && !(h->flags & SMTPD_DISK_MORE))
		return s->record(s->user, &record);
	if (group_add(s, &record) == -1)
		return -1;
	return h->flags & SMTPD_DISK_MORE ? 0 : group_deliver(s);
}

/* From AT to TO it is damaged, and what comes has a sequence from NEXT on.
 * What is there of a group was durable with the rest of it. */
static int
skip_damage(
    struct smtpd_disk_scan *s, uint32_t to, uint64_t next, const char *why)
{
	int rc = group_deliver(s);

	if (rc != 0)
		return rc;
	if (smtpd__disk_scan_report(s, s->at, to, why) == -1)
		return -1;
	s->at = to;
	s->next = next;
	return 0;
}

/* Nobody vouches for the group that the damage at AT is in, which H is of, if
 * FOUND says so: none of it is read. */
static void
forget_group(struct smtpd_disk_scan *s, enum finding found,
    const struct smtpd_disk_record_header *h, uint32_t to)
{
	bool begun = s->group_count > 0;

	if (begun)
		s->at = smtpd__disk_format_ref_offset(s->group[0].ref);
	s->group_count = 0;
	s->heads_len = 0;
	s->skipping = found == FOUND_HEAD ? (h->flags & SMTPD_DISK_MORE) != 0
					  : s->skipping || begun;
	add_void(s, s->at, to);
}

/* There is no intact record at AT, only what FOUND says.  Return 1 when it is
 * the end: nothing behind it is a record, or there are too many gaps. */
static int
handle_damage(struct smtpd_disk_scan *s, enum finding found,
    const struct smtpd_disk_record_header *h, int *rc)
{
	uint32_t size =
	    found == FOUND_HEAD ? smtpd__disk_format_record_size(h) : 8;
	enum finding later = FOUND_NOTHING;
	uint32_t to = s->at + size;
	bool vouched;

	if (found == FOUND_NOTHING || s->known < s->next)
		later = find_next(s, s->at + size, &to);
	if (later == FOUND_ERROR) {
		*rc = -1;
		return 1;
	}
	vouched = s->sealed || s->known >= s->next;
	if (!vouched &&
	    (later == FOUND_NOTHING || s->void_count + 1 >= SMTPD_DISK_VOIDS))
		return 1;
	if (s->moving && s->reread != s->at) {
		s->reread = s->at;
		s->window->len = 0;
		return 0;
	}
	if (found == FOUND_HEAD)
		to = s->at + size;
	if (!vouched)
		forget_group(s, found, h, to);
	if (found == FOUND_HEAD)
		*rc = skip_damage(s, to, h->sequence + 1,
		    "the body does not match its checksum");
	else
		*rc = skip_damage(s, to, s->next, "this is no record");
	return *rc != 0;
}

/* Whether the bytes at P, where the records end, begin one that was torn, or
 * lost a bit. */
static bool
begins_record(const struct smtpd_disk_scan *s, const uint8_t *p, uint32_t len)
{
	uint32_t mark = smtpd_get_u32(p);
	struct smtpd_disk_record_header h;

	if (mark == s->mark)
		return true;
	return smtpd__disk_format_get_record(mark, p, &h) &&
	    h.sequence >= s->next &&
	    h.head_len <= len - SMTPD_DISK_RECORD_HEADER &&
	    smtpd__disk_format_head_checks(s->crc, &h, p);
}

/* What is cut off behind the records may have been durable all the same: find
 * out where it ends and tell of it, before it is made void. */
static int
cut_tail(struct smtpd_disk_scan *s)
{
	uint64_t end =
	    s->end < s->window->file_size ? s->end : s->window->file_size;
	const uint8_t *p;
	uint32_t to;
	size_t len;

	if (end > (uint64_t)s->at + SMTPD_JOURNAL_GROUP_MAX)
		end = (uint64_t)s->at + SMTPD_JOURNAL_GROUP_MAX;
	if (end < (uint64_t)s->at + SMTPD_DISK_RECORD_HEADER)
		return 0;
	len = (size_t)end - s->at;
	p = smtpd__disk_window_at(s->window, s->at, len);
	if (p == NULL)
		return -1;
	if (!begins_record(s, p, (uint32_t)len))
		return 0;
	while (p[len - 1] == 0)
		len--;
	to = s->at + (uint32_t)len;
	add_void(s, s->at, to);
	return smtpd__disk_scan_report(s, s->at, to,
	    "it was not complete, and nothing says that it was durable");
}

int
smtpd__disk_scan(struct smtpd_disk_scan *s)
{
	struct smtpd_disk_record_header h;
	const uint8_t *p = NULL;
	int rc = 0;

	while (rc == 0 && s->at < s->end) {
		enum finding found = find_record(s, s->at, &h, &p);

		s->unread = s->unread || found == FOUND_UNREAD;
		if (found == FOUND_ERROR)
			rc = -1;
		else if (found == FOUND_RECORD || found == FOUND_UNREAD)
			rc = accept_record(s, &h, p);
		else if (handle_damage(s, found, &h, &rc))
			break;
	}
	if (rc == 0 && s->sealed) {
		rc = group_deliver(s);
	} else if (rc == 0) {
		/* Forget a group whose end was never written. */
		if (s->group_count > 0) {
			s->at = smtpd__disk_format_ref_offset(s->group[0].ref);
			s->next = s->group[0].sequence;
		}
		/* What was damaged had a sequence too, which is not given
		 * again. */
		if (s->next <= s->known)
			s->next = s->known + 1;
		if (!s->moving)
			rc = cut_tail(s);
	}
	free(s->group);
	free(s->heads);
	s->group = NULL;
	s->heads = NULL;
	return rc;
}
