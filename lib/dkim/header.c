/* SPDX-License-Identifier: MIT */
#include "dkim/header.h"

#include <string.h>

void
smtpd__dkim_header_init(
    struct smtpd_dkim_header *h, const struct smtpd_dkim_field_list *list)
{
	memset(h, 0, sizeof(*h));
	h->list = list;
}

static size_t
count_found(const struct smtpd_dkim_header *h)
{
	return h->found.len / sizeof(struct smtpd_dkim_header_field);
}

/* Memory from the heap is aligned for any type. */
static struct smtpd_dkim_header_field *
field_at(const struct smtpd_dkim_header *h, size_t i)
{
	return (struct smtpd_dkim_header_field *)(void *)h->found.data + i;
}

/* A smtpd_sink_fn: the canonical form of the field that comes in. */
static int
keep_bytes(void *user, const void *data, size_t len)
{
	struct smtpd_dkim_header *h = user;

	if (h->text.len + len > SMTPD_DKIM_HEADER_MAX) {
		h->fault = "its header is too long";
		return -1;
	}
	smtpd__pack_bytes(&h->text, data, len);
	return h->text.failed ? -1 : 0;
}

static void
end_field(struct smtpd_dkim_header *h)
{
	struct smtpd_dkim_header_field *f;

	if (!h->keeping)
		return;
	h->keeping = false;
	keep_bytes(h, "\r\n", 2);
	f = field_at(h, count_found(h) - 1);
	f->len = h->text.len - f->begin;
}

static void
begin_field(struct smtpd_dkim_header *h, const struct smtpd_piece *p)
{
	struct smtpd_dkim_header_field f = {
		.name = smtpd__dkim_field_list_find(
		    h->list, p->data, smtpd__fields_name_len(p)),
		.begin = h->text.len,
	};

	if (f.name == h->list->count)
		return;
	if (++h->times[f.name] > SMTPD_DKIM_TIMES_MAX) {
		h->fault = "a field occurs too often";
		return;
	}
	smtpd__pack_bytes(&h->found, &f, sizeof(f));
	h->keeping = !h->found.failed;
	smtpd__dkim_canon_field_init(&h->canon, keep_bytes, h);
}

int
smtpd__dkim_header_add(struct smtpd_dkim_header *h, const struct smtpd_piece *p)
{
	if (h->fault != NULL)
		return 0;
	if (p->part == SMTPD_FIELDS_NAME || p->part == SMTPD_FIELDS_END)
		end_field(h);
	if (p->part == SMTPD_FIELDS_NAME)
		begin_field(h, p);
	if (h->keeping)
		smtpd__dkim_canon_field_feed(&h->canon, p->data, p->len);
	return h->found.failed || h->text.failed ? -1 : 0;
}

const char *
smtpd__dkim_header_from(
    const struct smtpd_dkim_header *h, size_t i, size_t *len)
{
	static const char name[] = "from:";
	size_t from = smtpd__dkim_field_list_find(h->list, "From", 4);

	for (size_t k = 0; k < count_found(h); k++) {
		const struct smtpd_dkim_header_field *f = field_at(h, k);

		if (f->name != from || i-- > 0)
			continue;
		*len = f->len - (sizeof(name) - 1);
		return (const char *)h->text.data + f->begin + sizeof(name) - 1;
	}
	return NULL;
}

int
smtpd__dkim_header_names(const struct smtpd_dkim_header *h,
    int (*name)(void *user, const char *text), void *user)
{
	for (size_t i = 0; i < h->list->count; i++) {
		unsigned n = h->times[i] + h->list->at[i].once_more;

		for (; n > 0; n--)
			if (name(user, h->list->at[i].name) == -1)
				return -1;
	}
	return 0;
}

/* A name in h= means the lowest field that none before it meant; one that means
 * none adds nothing. */
int
smtpd__dkim_header_write(
    const struct smtpd_dkim_header *h, smtpd_sink_fn *sink, void *user)
{
	for (size_t i = 0; i < h->list->count; i++) {
		for (size_t k = count_found(h); k-- > 0;) {
			const struct smtpd_dkim_header_field *f =
			    field_at(h, k);

			if (f->name == i &&
			    sink(user, h->text.data + f->begin, f->len) != 0)
				return -1;
		}
	}
	return 0;
}

void
smtpd__dkim_header_finish(struct smtpd_dkim_header *h)
{
	smtpd__pack_free(&h->text);
	smtpd__pack_free(&h->found);
}
