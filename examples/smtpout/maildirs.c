/* SPDX-License-Identifier: MIT */
#include "maildirs.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <smtpd/address.h>

#include "local_names.h"
#include "log.h"
#include "mailbox.h"

#define PREFIX "maildir:"

/* What is read of a message at a time. */
#define PIECE 8192

/* The longest name of a user. */
#define USER_MAX 64

struct maildirs_place {
	char *text; /* the pattern behind PREFIX */
	struct mailbox_pattern pattern;
	struct smtpd_maildir *shared;
};

/* One message on its way. */
struct delivery {
	const struct maildirs_place *place;
	struct smtpd_local *local;
	struct smtpd_maildir_message *message;
	size_t *rcpts; /* of each Maildir, the recipient */
	size_t count;
};

/* Tell recipient I that ERROR, an errno, keeps the message from it for now. */
static void
reply_error(const struct delivery *d, size_t i, int error)
{
	char reason[LOG_ERROR_SIZE], text[LOG_ERROR_SIZE + 64];

	snprintf(text, sizeof(text), "4.3.0 Cannot write to the Maildir: %s",
	    log_error(error, reason, sizeof(reason)));
	smtpd_local_reply(d->local, i, 451, text);
}

/* The smtpd_maildir_failed_fn. */
static bool
leave_out(void *delivery, size_t i, int error)
{
	const struct delivery *d = delivery;

	reply_error(d, d->rcpts[i], error);
	return true;
}

/* Whether KEY can be the name of a directory. */
static bool
is_plain(const char *key)
{
	if (*key == '\0' || *key == '.' || *key == '-' ||
	    strlen(key) > USER_MAX)
		return false;
	for (; *key != '\0'; key++)
		if (*key == '/' || *key == '"' || (unsigned char)*key <= ' ' ||
		    *key == 0x7f)
			return false;
	return true;
}

/* Write the path of the Maildir of ADDRESS to PATH; *KNOWN: that is an account,
 * which may get one.  Return false with errno, ENOENT where it can be none. */
static bool
find_path(const struct maildirs_place *place, const char *address,
    char path[PATH_MAX], bool *known)
{
	char buf[SMTPD_ADDRESS_MAX], key[SMTPD_ADDRESS_MAX];
	struct smtpd_address a;

	if (smtpd_address_parse(address, buf, sizeof(buf), &a) == -1 ||
	    smtpd_address_local_key(a.local, key, sizeof(key)) == -1 ||
	    !is_plain(key)) {
		errno = ENOENT;
		return false;
	}
	for (char *c = buf; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	*known = local_names_has(key);
	errno = ENAMETOOLONG;
	return mailbox_path(&place->pattern, key, a.domain, path, PATH_MAX) ==
	    0;
}

/* Add the Maildir PATH for ADDRESS; MAKE: make it if there is none yet.  Return
 * 0, or -1 with errno. */
static int
add_maildir(
    const struct delivery *d, const char *path, const char *address, bool make)
{
	const size_t root = d->place->pattern.root_len;
	char header[2 * SMTPD_ADDRESS_MAX + 64];
	size_t len = (size_t)snprintf(header, sizeof(header),
	    "Return-Path: <%s>\r\nDelivered-To: %s\r\n",
	    d->local->envelope->sender, address);

	if (smtpd_maildir_add(d->message, path, root, header, len) == 0)
		return 0;
	if (errno != ENOENT || !make || smtpd_maildir_make(path, root) == -1)
		return -1;
	return smtpd_maildir_add(d->message, path, root, header, len);
}

static void
add_recipient(struct delivery *d, size_t i)
{
	const char *address = d->local->envelope->rcpts[i].address;
	char path[PATH_MAX];
	bool known = false;

	if (find_path(d->place, address, path, &known) &&
	    add_maildir(d, path, address, known) == 0)
		d->rcpts[d->count++] = i;
	else if (known || errno != ENOENT)
		reply_error(d, i, errno);
	else
		smtpd_local_reply(d->local, i, 550, "5.1.1 No such user here");
}

/* Return 0, or -1 with errno. */
static int
copy_content(struct delivery *d)
{
	char piece[PIECE];
	ssize_t n;

	while (
	    (n = d->local->read(d->local->read_user, piece, sizeof(piece))) > 0)
		if (smtpd_maildir_write(d->message, piece, (size_t)n) == -1)
			return -1;
	return n == 0 ? 0 : -1;
}

/* The smtpd_local_fn: those who were replied to have that, the others what this
 * returns. */
static int
deliver_message(struct smtpd_local *local, void *place)
{
	struct delivery d = { .place = place, .local = local };
	const size_t n = local->envelope->nrcpts;
	int code = 451;

	d.message = smtpd_maildir_begin(d.place->shared);
	d.rcpts = calloc(n, sizeof(*d.rcpts));
	if (d.message == NULL || d.rcpts == NULL)
		goto out;
	smtpd_maildir_set_failed(d.message, leave_out, &d);
	for (size_t i = 0; i < n; i++)
		add_recipient(&d, i);
	if (d.count > 0 && copy_content(&d) == 0) {
		if (smtpd_maildir_commit(d.message) == 0)
			code = 250;
		d.message = NULL;
	}
out:
	smtpd_maildir_abort(d.message);
	free(d.rcpts);
	return code;
}

static void
free_place(struct maildirs_place *p)
{
	if (p != NULL)
		free(p->text);
	free(p);
}

/* The place of TEXT in M, which is added where there is none; NULL without
 * memory. */
static struct maildirs_place *
find_place(struct maildirs *m, const char *text)
{
	const size_t len = strlen(PREFIX) + strlen(text) + 1;
	struct maildirs_place *p, **more;

	for (size_t i = 0; i < m->count; i++)
		if (strcmp(m->items[i]->text + strlen(PREFIX), text) == 0)
			return m->items[i];
	if (m->shared == NULL)
		m->shared = smtpd_maildir_create(NULL);
	more = realloc(m->items, (m->count + 1) * sizeof(*more));
	if (more != NULL)
		m->items = more;
	p = calloc(1, sizeof(*p));
	if (p != NULL)
		p->text = malloc(len);
	if (m->shared == NULL || more == NULL || p == NULL || p->text == NULL) {
		free_place(p);
		return NULL;
	}
	snprintf(p->text, len, PREFIX "%s", text);
	p->shared = m->shared;
	return m->items[m->count++] = p;
}

int
maildirs_target(struct maildirs *m, const char *text, size_t root_len,
    struct smtpd_route_target *out, char *why, size_t size)
{
	struct mailbox_pattern pattern;
	struct maildirs_place *p;
	const char *fault = mailbox_parse(text, &pattern);

	if (fault == NULL && *text != '/' && root_len == 0)
		fault = "the path begins with \"/\"";
	if (fault != NULL) {
		snprintf(why, size, PREFIX "%s: %s", text, fault);
		return EX_USAGE;
	}
	p = find_place(m, text);
	if (p == NULL) {
		snprintf(why, size, "no memory");
		return EX_OSERR;
	}
	mailbox_parse(p->text + strlen(PREFIX), &p->pattern);
	if (root_len != 0)
		p->pattern.root_len = root_len;
	*out = (struct smtpd_route_target){
		SMTPD_ROUTE_TARGET_INIT,
		.kind = SMTPD_ROUTE_LOCAL,
		.text = p->text,
		.deliver = deliver_message,
		.deliver_user = p,
	};
	return 0;
}

void
maildirs_finish(struct maildirs *m)
{
	for (size_t i = 0; i < m->count; i++)
		free_place(m->items[i]);
	free(m->items);
	smtpd_maildir_destroy(m->shared);
	*m = (struct maildirs){ .count = 0 };
}
