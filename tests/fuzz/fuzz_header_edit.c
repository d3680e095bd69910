/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <string.h>

#include "grammar/header_edit.h"

static const char date[] = "Mon, 02 Jan 2006 15:04:05 +0000";
static const char message_id[] = "<new@host>";

/* What is added at most. */
#define ADDED_MAX 128

/* What an octet gets that is an address, or the domain of one. */
static const char domain[] = "own.test", hidden[] = "away.test",
		  host[] = "h.own.test";
#define GROWTH sizeof("@away.test")

/* Edit LEN bytes at DATA in blocks of BLOCK bytes. */
static void
edit(struct smtpd_header_edit *e, const struct smtpd_header_wants *wants,
    struct out *o, const char *data, size_t len, size_t block)
{
	o->most = len + ADDED_MAX;
	if (wants->domains.domain != NULL)
		o->most += len * GROWTH;
	smtpd__header_edit_init(e, wants, out_write, o);
	for (size_t at = 0; at < len; at += block) {
		size_t n = len - at < block ? len - at : block;

		must(smtpd__header_edit_feed(e, data + at, n) == 0);
	}
	must(smtpd__header_edit_end(e) == 0);
	must(e->header_len <= o->len);
}

static void
must_be_same(
    const struct smtpd_header_edit *a, const struct smtpd_header_edit *b)
{
	must(a->header_len == b->header_len);
	must(a->info.date == b->info.date);
	must(a->info.message_id == b->info.message_id);
	must(a->info.automatic == b->info.automatic);
	must(a->info.eight_bit == b->info.eight_bit);
	must(a->info.eight_bit_header == b->info.eight_bit_header);
	must(strcmp(a->info.id, b->info.id) == 0);
}

/* What the facts say is there once the message was edited. */
static void
must_be_fit(const struct smtpd_header_edit *e)
{
	const char *id = e->info.id;
	size_t len = strlen(id);

	must(e->wants.date == NULL || e->info.date);
	must(e->wants.message_id == NULL || e->info.message_id);
	must(len == 0 || (id[0] == '<' && id[len - 1] == '>'));
	must(is_printable(id, len) && strchr(id, ' ') == NULL);
}

/* A byte of wishes, one for the size of the blocks, and a message. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct smtpd_header_edit whole, blocks, again;
	struct smtpd_header_wants wants = { 0 };
	struct out out[3] = { 0 };
	const char *message = (const char *)data + 2;

	if (size < 2)
		return 0;
	wants.drop_bcc = (data[0] & 1) != 0;
	wants.date = (data[0] & 2) != 0 ? date : NULL;
	wants.message_id = (data[0] & 4) != 0 ? message_id : NULL;
	if ((data[0] & 8) != 0)
		wants.domains = (struct smtpd_address_domains){
			.domain = domain,
			.hidden = (data[0] & 16) != 0 ? hidden : NULL,
			.host = host,
		};
	edit(&whole, &wants, &out[0], message, size - 2, size);
	edit(&blocks, &wants, &out[1], message, size - 2, data[1] % 64 + 1u);
	must(out_is_same(&out[0], &out[1]));
	must_be_same(&whole, &blocks);

	/* What was edited needs no edit. */
	edit(&again, &wants, &out[2], out[0].data, out[0].len, size);
	must(out_is_same(&out[0], &out[2]));
	must(whole.header_len == again.header_len);
	must_be_fit(&again);
	for (size_t i = 0; i < 3; i++)
		free(out[i].data);
	return 0;
}
