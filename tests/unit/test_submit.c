/* SPDX-License-Identifier: MIT */
/* For syscall(). */
#define _DEFAULT_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <smtpd/server.h>

#include "queue/submit.h"

#include "failing.h"
#include "queue_fixture.h"

#include "test.h"

static _Thread_local int write_error; /* of the next files */

/* In place of the C library's: what is written to files may fail. */
ssize_t
write(int fd, const void *data, size_t len)
{
	struct stat st;

	if (write_error != 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		errno = write_error;
		return -1;
	}
	return syscall(SYS_write, fd, data, len);
}

static const struct smtpd_outgoing_rcpt one_rcpt = { SMTPD_OUTGOING_RCPT_INIT,
	.address = "one@a1.test" };

static int
setup(void **state)
{
	world_setup(state);
	world_open(*state);
	return 0;
}

/* Queue CONTENT and have it in OUT as the operator sees it. */
static void
pass(struct world *w, struct world_mail *mail, const char *content, char *out,
    size_t size)
{
	mail->envelope.rcpts = &one_rcpt;
	mail->envelope.nrcpts = 1;
	if (mail->envelope.sender == NULL)
		mail->envelope.sender = "s@a2.test";
	mail->options.hold = true;
	world_send_mail(w, mail, content);
	world_start(w);
	assert_int_equal(world_ask(w, "cat", w->id, out, size), 0);
	smtpd_queue_close(w->queue);
	world_open(w);
}

static void
test_header(void **state)
{
	static const struct {
		unsigned fix;
		const char *trace;
		const char *in;
		const char *begins;
		const char *has, *has_too, *has_not;
	} cases[] = {
		{ 0, NULL, "Subject: x\r\n\r\nhi\r\n",
		    "Subject: x\r\n\r\nhi\r\n", "", "", "Date" },
		{ 0, "Received: y\r\n", "Subject: x\r\n\r\nhi\r\n",
		    "Received: y\r\nSubject: x\r\n\r\nhi\r\n", "", "", "Date" },
		{ SMTPD_FIX_DATE, NULL, "Subject: x\r\n\r\nhi\r\n",
		    "Subject: x\r\n", "\r\nDate: ", "", "Message-ID" },
		{ SMTPD_FIX_MESSAGE_ID, NULL, "Subject: x\r\n\r\nhi\r\n",
		    "Subject: x\r\n", "\r\nMessage-ID: <",
		    "@queue.test>\r\n\r\n", "Date" },
		{ SMTPD_FIX_DATE | SMTPD_FIX_MESSAGE_ID, NULL,
		    "date: today\r\nmessage-id: <a@b>\r\n\r\nhi\r\n",
		    "date: today\r\nmessage-id: <a@b>\r\n\r\nhi\r\n", "", "",
		    "Message-ID" },
		{ 0, "Received: y\r\n",
		    "Return-Path: <a@b>\r\nSubject: x\r\nreturn-path:\r\n"
		    " <b>\r\n\r\nhi\r\n",
		    "Received: y\r\nSubject: x\r\n\r\nhi\r\n", "", "", "Path" },
		{ 0, NULL, "Bcc: z@a1.test\r\n\r\nhi\r\n", "Bcc: z", "", "",
		    "Date" },
		{ SMTPD_FIX_BCC, NULL,
		    "Bcc: z@a1.test,\r\n y@a1.test\r\nTo: x\r\n\r\nBcc: b\r\n",
		    "To: x\r\n\r\nBcc: b\r\n", "", "", "a1.test" },
		{ SMTPD_FIX_DATE, "Received: y\r\n", "",
		    "Received: y\r\nDate:", "", "", "Message-ID" },
	};
	struct world *w = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct world_mail mail = { .options.fix = cases[i].fix,
			.options.trace = cases[i].trace };
		char out[4096];

		pass(w, &mail, cases[i].in, out, sizeof(out));
		if (strncmp(out, cases[i].begins, strlen(cases[i].begins)) != 0)
			fail_msg("%zu: %s", i, out);
		if (strstr(out, cases[i].has) == NULL ||
		    strstr(out, cases[i].has_too) == NULL ||
		    strstr(out, cases[i].has_not) != NULL)
			fail_msg("%zu: %s", i, out);
	}
}

static int
fail_to_sign(const unsigned char *hash, unsigned char *signature, void *user)
{
	(void)hash;
	memset(signature, 1, 64);
	return *(bool *)user ? -1 : 0;
}

/* RFC 6376, 5.4: mail is signed when it is queued, on top of all; where the key
 * fails it is not queued, and without a key for its domain it is not signed. */
static void
test_signatures(void **state)
{
	struct world *w = *state;
	struct world_mail mail = { .options.trace = "Received: y\r\n",
		.options.hold = true,
		.envelope = {
		    .sender = "s@a2.test", .rcpts = &one_rcpt, .nrcpts = 1 } };
	bool fails = false;
	const struct smtpd_dkim_key key = {
		SMTPD_DKIM_KEY_INIT,
		.domain = "a2.test",
		.selector = "s",
		.sign = fail_to_sign,
		.user = &fails,
		.algorithm = SMTPD_DKIM_ED25519_SHA256,
	};
	struct smtpd_dkim *dkim = smtpd_dkim_create();
	struct smtpd_queue_message *m;
	char out[4096];

	if (dkim == NULL)
		skip();
	assert_int_equal(smtpd_dkim_add_key(dkim, &key, NULL, 0), 0);
	smtpd_queue_set_dkim(w->queue, dkim);
	smtpd_dkim_unref(dkim);
	world_send_mail(w, &mail, "From: s@a2.test\r\n\r\nhi\r\n");
	world_start(w);
	assert_int_equal(world_ask(w, "cat", w->id, out, sizeof(out)), 0);
	assert_memory_equal(out, "DKIM-Signature: v=1;", 20);
	assert_non_null(strstr(out, "\r\nReceived: y\r\nFrom: s@a2.test"));
	world_send_mail(w, &mail, "From: s@a3.test\r\n\r\nhi\r\n");
	assert_int_equal(world_ask(w, "cat", w->id, out, sizeof(out)), 0);
	assert_memory_equal(out, "Received: y\r\nFrom: s@a3.test", 28);
	assert_int_equal(world_counters(w).signed_messages, 1);
	assert_int_equal(world_counters(w).unsigned_messages, 1);

	fails = true;
	m = world_begin_mail(w, &mail);
	assert_non_null(m);
	assert_int_equal(
	    smtpd_queue_write(m, "From: s@a2.test\r\n\r\n", 19), 0);
	assert_int_equal(smtpd_queue_commit(m, NULL), -1);
	assert_int_equal(errno, EIO);
	assert_int_equal(world_counters(w).messages, 2);
	assert_non_null(strstr(w->log, "cannot be signed: the key of"));

	smtpd_queue_set_dkim(w->queue, NULL);
	world_send_mail(w, &mail, "From: s@a2.test\r\n\r\nhi\r\n");
	assert_int_equal(world_counters(w).messages, 3);
	assert_int_equal(world_counters(w).unsigned_messages, 1);
}

static void
test_bad_addresses(void **state)
{
	static const struct {
		const char *sender;
		const char *rcpts[3];
	} cases[] = {
		{ "s@a2.test", { NULL } },
		{ "s", { "one@a1.test" } },
		{ "s@", { "one@a1.test" } },
		{ "s@a2.test", { "one" } },
		{ "s@a2.test", { "" } },
		{ "s@a2.test", { "one@a1.test", "postmaster" } },
		{ "s@a2.test", { "one@a1.test", "@a1.test" } },
		{ "s@a2.test", { "one@a1.test\r\nRCPT TO:<two@a1.test>" } },
		{ "s@a2.test>\r\nX", { "one@a1.test" } },
		{ "s@a2.test", { "<one@a1.test>" } },
		{ "s@a2.test", { "o ne@a1.test" } },
	};
	struct world *w = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct smtpd_outgoing_rcpt rcpts[3];
		struct world_mail mail = { .envelope.sender = cases[i].sender,
			.envelope.rcpts = rcpts };

		for (size_t k = 0; k < 3 && cases[i].rcpts[k] != NULL; k++)
			rcpts[mail.envelope.nrcpts++] =
			    (struct smtpd_outgoing_rcpt){
				    SMTPD_OUTGOING_RCPT_INIT,
				    .address = cases[i].rcpts[k]
			    };
		errno = 0;
		if (world_begin_mail(w, &mail) != NULL)
			fail_msg("case %zu", i);
		assert_int_equal(errno, EINVAL);
	}
	assert_int_equal(world_counters(w).messages, 0);
}

/* E19, E20: What no host would take, and what the library does not know. */
static void
what_cannot_be_sent_is_refused(void **state)
{
	static const struct {
		struct smtpd_outgoing_rcpt rcpt;
		struct smtpd_outgoing_envelope envelope;
		struct smtpd_queue_options options;
	} cases[] = {
		{ .rcpt.notify = "SOMETIMES" },
		{ .rcpt.orcpt = "x" },
		{ .envelope.ret = "BOGUS" },
		{ .envelope.envid = "a b>" },
		{ .options.fix = 1 << 5 },
		{ .options.trace = "X-One: 1" },
		{ .options.trace = "X-One: 1\n" },
		{ .options.trace = "X-One: 1\r\n\r\n" },
		{ .options.trace = "X-One: 1\r\nX: \r1\r\n" },
		{ .options.fix = SMTPD_FIX_NONE | SMTPD_FIX_DATE },
		{ .options.trace = "no field here\r\n" },
		{ .options.trace = " folded\r\n" },
		{ .options.trace = "X-One: \xfc\r\n" },
		{ .options.trace = "X-One: 1\r\nX-\001: 2\r\n" },
		{ .options.trace = "X-One: \033[1m\r\n" },
		{ .options.trace = ": 1\r\n" },
	};
	struct smtpd_outgoing_envelope unsized = { .sender = "" };
	struct world *w = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct smtpd_outgoing_rcpt rcpt = cases[i].rcpt;
		struct world_mail mail = {
			.envelope = cases[i].envelope,
			.options = cases[i].options,
		};

		rcpt.size = sizeof(rcpt);
		rcpt.address = one_rcpt.address;
		mail.envelope.sender = "s@a2.test";
		mail.envelope.rcpts = &rcpt;
		mail.envelope.nrcpts = 1;
		errno = 0;
		if (world_begin_mail(w, &mail) != NULL || errno != EINVAL)
			fail_msg("%zu", i);
	}
	unsized.rcpts = &one_rcpt;
	unsized.nrcpts = 1;
	assert_null(smtpd_queue_begin(w->queue, &unsized, NULL));
	assert_int_equal(errno, EINVAL);
	assert_null(smtpd_queue_begin(w->queue, NULL, NULL));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(world_counters(w).messages, 0);
}

/* The caller may forget them as soon as the message began. */
static void
envelope_and_options_are_copied(void **state)
{
	struct world *w = *state;
	char address[] = "one@a1.test", sender[] = "s@a2.test";
	char trace[] = "X-One: 1,\r\n\t2\r\n", out[4096];
	struct smtpd_outgoing_rcpt rcpt = { SMTPD_OUTGOING_RCPT_INIT,
		.address = address };
	struct world_mail mail = {
		.envelope.sender = sender,
		.envelope.rcpts = &rcpt,
		.envelope.nrcpts = 1,
		.options.trace = trace,
		.options.hold = true,
	};
	struct smtpd_queue_message *m = world_begin_mail(w, &mail);

	assert_non_null(m);
	memset(address, 'x', sizeof(address));
	memset(sender, 'x', sizeof(sender));
	memset(trace, 'x', sizeof(trace));
	memset(&rcpt, 0xff, sizeof(rcpt));
	memset(&mail, 0xff, sizeof(mail));
	assert_int_equal(smtpd_queue_write(m, "\r\n", 2), 0);
	assert_int_equal(smtpd_queue_commit(m, w->id), 0);
	world_close(w, 0);
	assert_int_equal(world_ask(w, "show", w->id, out, sizeof(out)), 0);
	assert_non_null(strstr(out, "one@a1.test"));
	assert_non_null(strstr(out, "s@a2.test"));
	assert_int_equal(world_ask(w, "cat", w->id, out, sizeof(out)), 0);
	assert_string_equal(out, "X-One: 1,\r\n\t2\r\n\r\n");
	world_open(w);
}

static void
bad_settings_are_refused(void **state)
{
	static const char *const none[] = { "" };
	static const struct smtpd_security_rule rules[] = {
		{ SMTPD_SECURITY_RULE_INIT, "a.test", (enum smtpd_security)9 },
		{ SMTPD_SECURITY_RULE_INIT, NULL, SMTPD_SECURITY_NONE },
		{ .size = 0, .domain = "a.test" },
		{ SMTPD_SECURITY_RULE_INIT, "a.test", SMTPD_SECURITY_REQUIRED,
		    .nnames = 1 },
		{ SMTPD_SECURITY_RULE_INIT, "a.test", SMTPD_SECURITY_REQUIRED,
		    .names = none, .nnames = 1 },
		{ SMTPD_SECURITY_RULE_INIT, "a.test", SMTPD_SECURITY_NONE,
		    .names = none, .nnames = 1 },
	};
	static const struct smtpd_route_target
	    smarthost = { SMTPD_ROUTE_TARGET_INIT, SMTPD_ROUTE_HOST },
	    store = { SMTPD_ROUTE_TARGET_INIT, SMTPD_ROUTE_LMTP,
		    .host = "/run/store" };
	struct world *w = *state;
	const struct smtpd_queue_settings good = w->settings;
	static const char *const names[] = { "", "a b",
		"a.test\r\nX-Injected: y" };
	struct smtpd_queue_settings bad[7 + COUNT(rules) + 2 * COUNT(names)];
	size_t n = 6;
	char name[300];

	for (size_t i = 0; i < COUNT(bad); i++)
		bad[i] = good;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	bad[0].size = 0;
	bad[1].fix = SMTPD_FIX_NONE | SMTPD_FIX_DATE;
	bad[2].log_level = (enum smtpd_log_level)9;
	bad[3].hostname = name;
	bad[4].smarthost = &smarthost;
	bad[5].smarthost = &store;
	bad[n++].size = sizeof(size_t) + 2;
	for (size_t i = 0; i < COUNT(rules); i++) {
		bad[n].rules = &rules[i];
		bad[n++].nrules = 1;
	}
	for (size_t i = 0; i < COUNT(names); i++) {
		bad[n++].hostname = names[i];
		bad[n++].local_domain = names[i];
	}
	assert_int_equal(n, COUNT(bad));
	world_close(w, 0);
	for (size_t i = 0; i < COUNT(bad); i++) {
		w->error[0] = '\0';
		errno = 0;
		if (smtpd_queue_open(
			w->path, &bad[i], w->error, sizeof(w->error)) != NULL ||
		    errno != EINVAL || w->error[0] == '\0')
			fail_msg("%zu: %s", i, w->error);
	}
	assert_null(smtpd_queue_open(NULL, &good, w->error, sizeof(w->error)));
	assert_int_equal(errno, EINVAL);
	/* The reason need not be asked for. */
	assert_null(smtpd_queue_open(w->path, &bad[1], NULL, 0));
	w->queue = smtpd_queue_open(w->path, &good, NULL, 0);
	assert_non_null(w->queue);
	world_close(w, 0);
	world_open(w);
}

static void
a_queue_is_started_once(void **state)
{
	struct smtpd_queue_counters unsized = { .size = 0 };
	struct world *w = *state;
	char error[256];

	world_start(w);
	assert_int_equal(smtpd_queue_start(w->queue, error, sizeof(error)), -1);
	assert_int_equal(errno, EBUSY);
	smtpd_queue_stop(w->queue, 0);
	assert_int_equal(smtpd_queue_start(w->queue, error, sizeof(error)), -1);
	assert_int_equal(errno, EBUSY);
	assert_int_equal(smtpd_queue_count(w->queue, &unsized), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(smtpd_queue_count(w->queue, NULL), -1);
	assert_int_equal(errno, EINVAL);
}

static void
test_ids(void **state)
{
	struct world *w = *state;
	struct world_mail mail = { .envelope.sender = "",
		.envelope.rcpts = &one_rcpt,
		.envelope.nrcpts = 1,
		.options.hold = true,
		.options.id = "1M8233F2Y0000" };
	struct smtpd_queue_message *m;
	char out[4096];

	world_send_mail(w, &mail, "\r\n");
	assert_string_equal(w->id, "1M8233F2Y0000");
	/* It is taken: Message-ID bears the one that it gets (S19). */
	mail.options.fix = SMTPD_FIX_MESSAGE_ID;
	pass(w, &mail, "\r\n", out, sizeof(out));
	assert_string_not_equal(w->id, "1M8233F2Y0000");
	assert_non_null(strstr(out, w->id));
	/* It was not when the message was begun. */
	mail.options.id = "1M8233F2Y0001";
	m = world_begin_mail(w, &mail);
	assert_non_null(m);
	world_send_mail(w, &mail, "\r\n");
	assert_string_equal(w->id, "1M8233F2Y0001");
	assert_int_equal(smtpd_queue_commit(m, w->id), -1);
	assert_int_equal(errno, EEXIST);
	/* It is none. */
	mail.options.id = "??";
	world_send_mail(w, &mail, "\r\n");
	assert_int_equal(strlen(w->id), SMTPD_QUEUE_ID_SIZE - 1);
	assert_int_equal(world_counters(w).messages, 4);
	world_close(w, 0);
	world_open(w);
	mail.options.id = "1M8233F2Y0000";
	world_send_mail(w, &mail, "\r\n");
	assert_string_not_equal(w->id, "1M8233F2Y0000");
	assert_int_equal(world_counters(w).messages, 5);
}

static void
test_abort(void **state)
{
	struct world *w = *state;
	struct world_mail mail = { .envelope.sender = "",
		.envelope.rcpts = &one_rcpt,
		.envelope.nrcpts = 1 };
	struct smtpd_queue_message *d = world_begin_mail(w, &mail);
	static char block[100000];

	assert_non_null(d);
	memset(block, 'x', sizeof(block));
	assert_int_equal(smtpd_queue_write(d, block, sizeof(block)), 0);
	smtpd_queue_abort(d);
	smtpd_queue_abort(NULL);
	assert_int_equal(world_counters(w).messages, 0);
	assert_int_equal(world_count_files(w, "tmp", ""), 2); /* . and .. */
}

static void
test_no_room(void **state)
{
	struct world *w = *state;
	struct world_mail mail = { .envelope.sender = "",
		.envelope.rcpts = &one_rcpt,
		.envelope.nrcpts = 1 };

	world_close(w, 0);
	w->settings.min_free = UINT64_MAX / 2;
	world_open(w);
	assert_false(smtpd_queue_has_room(w->queue, 0));
	assert_null(world_begin_mail(w, &mail));
	assert_int_equal(errno, ENOSPC);
}

static bool disk_is_full;

/* In place of the C library's. */
int
fstatvfs(int fd, struct statvfs *out)
{
	(void)fd;
	*out = (struct statvfs){ .f_frsize = 4096, .f_blocks = 1 << 20 };
	out->f_bavail = disk_is_full ? 256 : out->f_blocks;
	return 0;
}

/* S7: the floor is looked at while a large message comes, and the log says once
 * that mail is refused, and once that it is not any more. */
static void
the_floor_is_met_in_a_message(void **state)
{
	struct world *w = *state;
	struct world_mail mail = { .envelope.sender = "",
		.envelope.rcpts = &one_rcpt,
		.envelope.nrcpts = 1 };
	static const char block[100000];
	struct smtpd_queue_message *m;
	char line[200];

	world_close(w, 0);
	w->settings.min_free = 64 << 20;
	world_open(w);
	m = world_begin_mail(w, &mail);
	assert_non_null(m);
	assert_int_equal(smtpd_queue_write(m, block, sizeof(block)), 0);
	disk_is_full = true;
	world_sleep(1100);
	assert_int_equal(smtpd_queue_write(m, block, sizeof(block)), -1);
	assert_int_equal(errno, ENOSPC);
	smtpd_queue_abort(m);
	assert_false(smtpd_queue_has_room(w->queue, 0));
	snprintf(line, sizeof(line),
	    "1 MiB free on %s, 64 MiB must stay free: mail is refused with 452 "
	    "until then",
	    w->path);
	assert_int_equal(world_logged(w, line), 1);
	disk_is_full = false;
	world_sleep(1100);
	assert_true(smtpd_queue_has_room(w->queue, 0));
	world_sleep(1100);
	assert_true(smtpd_queue_has_room(w->queue, 0));
	assert_int_equal(world_logged(w, "refused with 452"), 1);
	assert_int_equal(world_logged(w, ": mail is accepted again"), 1);
}

/* The disk is full though it did not seem so. */
static void
test_write_fails(void **state)
{
	struct world *w = *state;
	struct world_mail mail = { .envelope.sender = "",
		.envelope.rcpts = &one_rcpt,
		.envelope.nrcpts = 1 };
	struct smtpd_queue_message *d = world_begin_mail(w, &mail);
	static char block[100000];
	int status = 0;

	assert_non_null(d);
	memset(block, 'x', sizeof(block));
	write_error = ENOSPC;
	for (int i = 0; i < 5 && status == 0; i++)
		status = smtpd_queue_write(d, block, sizeof(block));
	assert_int_equal(status, -1);
	assert_int_equal(errno, ENOSPC);
	smtpd_queue_abort(d);
	write_error = 0;
	assert_int_equal(world_counters(w).messages, 0);
	assert_int_equal(world_count_files(w, "tmp", ""), 2);
	world_send(w, "", "one@a1.test");
}

/* Each allocation fails once; then nothing is kept, or it is sent. */
static void
test_memory(void **state)
{
	static const struct smtpd_outgoing_rcpt rcpts[] = {
		{ SMTPD_OUTGOING_RCPT_INIT, .address = "one@a1.test" },
		{ SMTPD_OUTGOING_RCPT_INIT, .address = "two@a2.test",
		    .notify = "NEVER", .orcpt = "rfc822;x@y" }
	};
	struct world *w = *state;
	struct world_mail mail = { .envelope.sender = "s@a2.test",
		.envelope.rcpts = rcpts,
		.envelope.nrcpts = 2,
		.options.trace = "Received: y\r\n",
		.envelope.envid = "e",
		.options.fix = SMTPD_FIX_DATE | SMTPD_FIX_MESSAGE_ID };
	static char block[100000];
	bool failed = true;
	uint64_t kept = 0;

	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = "\r\nbody"[i % 6];
	for (int n = 0; failed; n++) {
		struct smtpd_queue_message *d;
		int status = -1;

		assert_true(n < 1000);
		failing_after(n);
		errno = 0;
		d = world_begin_mail(w, &mail);
		if (d != NULL)
			status = smtpd_queue_write(d, block, sizeof(block));
		if (d != NULL && status == 0)
			status = smtpd_queue_commit(d, NULL);
		else
			smtpd_queue_abort(d);
		failed = failing_ended();
		assert_true(failed || status == 0);
		if (status == -1)
			assert_int_equal(errno, ENOMEM);
		else
			kept++;
		assert_int_equal(world_counters(w).messages, kept);
	}
	world_start(w);
	mail_host_expect(&w->hosts[0], kept, 0);
	mail_host_expect(&w->hosts[1], kept, 0);
	world_await(w, 0);
}

static void
test_open_memory(void **state)
{
	struct world *w = *state;
	bool failed = true;

	world_send(w, "s@a2.test", "one@a1.test two@a2.test");
	world_close(w, 0);
	for (int n = 0; failed; n++) {
		struct smtpd_queue *q;

		assert_true(n < 1000);
		failing_after(n);
		q = smtpd_queue_open(
		    w->path, &w->settings, w->error, sizeof(w->error));
		failed = failing_ended();
		if (q == NULL) {
			assert_true(failed);
			assert_int_equal(errno, ENOMEM);
			assert_true(w->error[0] != '\0');
		}
		smtpd_queue_close(q);
	}
	world_open(w);
	assert_int_equal(world_counters(w).messages, 1);
}

/* The session's thread writes the report, the test reads it. */
static pthread_mutex_t report_lock = PTHREAD_MUTEX_INITIALIZER;

/* Keep the last report where nothing else is. */
static void
keep_report(struct smtpd_session *s,
    const struct smtpd_queue_submission *submission, void *user)
{
	struct world *w = user;

	(void)s;
	pthread_mutex_lock(&report_lock);
	snprintf(w->id, sizeof(w->id), "%s", submission->id);
	snprintf(w->error, sizeof(w->error), "%d %d", (int)submission->size,
	    submission->error);
	pthread_mutex_unlock(&report_lock);
}

/* The size and the error of the last report. */
static void
last_report(const struct world *w, int *size, int *error)
{
	char *end;

	pthread_mutex_lock(&report_lock);
	*size = (int)strtol(w->error, &end, 10);
	*error = (int)strtol(end, NULL, 10);
	pthread_mutex_unlock(&report_lock);
}

/* A server in front of W's queue, and a session with it. */
static struct smtpd_server *
begin_session(struct world *w, FILE **session)
{
	struct smtpd_settings settings = { SMTPD_SETTINGS_INIT,
		.hostname = "server.test", .max_recipients = SMTPD_NO_LIMIT,
		.errors_hard = SMTPD_NO_LIMIT, .max_future_release = 1000,
		.flags = SMTPD_FLAG_DELIVERBY | SMTPD_FLAG_CHUNKING |
		    SMTPD_FLAG_BINARYMIME };
	struct smtpd_server *srv = smtpd_server_create(&settings);
	struct sockaddr_in addr = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_non_null(srv);
	smtpd_server_add_handler(srv, "MAIL", smtpd_queue_admit, w->queue);
	smtpd_server_add_handler(srv, "RCPT", smtpd_queue_admit, w->queue);
	smtpd_server_set_deliver(srv, smtpd_queue_deliver, w->queue);
	smtpd_server_add_param(srv, "RCPT", "NOTIFY");
	assert_int_equal(smtpd_server_listen(srv, "127.0.0.1:0", 0), 0);
	assert_int_equal(smtpd_server_start(srv), 0);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	addr.sin_port = htons((uint16_t)strtoul(
	    strchr(smtpd_server_address(srv, 0), ':') + 1, NULL, 10));
	assert_int_equal(
	    connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	*session = fdopen(fd, "r+");
	assert_non_null(*session);
	return srv;
}

/* Send LINES of the session and expect replies that begin with CODE. */
static void
say(FILE *session, const char *lines, const char *code)
{
	char reply[600];

	fseek(session, 0, SEEK_CUR);
	fputs(lines, session);
	fflush(session);
	assert_non_null(fgets(reply, sizeof(reply), session));
	if (strncmp(reply, code, strlen(code)) != 0)
		fail_msg("%s%s", lines, reply);
}

static void
say_hello(FILE *session)
{
	char line[600];

	say(session, "EHLO c\r\n", "250-");
	while (fgets(line, sizeof(line), session) != NULL && line[3] == '-')
		continue;
}

/* What a server takes, and the queue behind it does not keep to. */
static void
wishes_are_refused(void **state)
{
	static const struct {
		const char *param, *code;
	} cases[] = {
		{ "BODY=BINARYMIME", "554 5.6.1" },
		{ "HOLDFOR=100", "554 5.3.3" },
		{ "BY=600;N", "554 5.3.3" },
		{ "BODY=8BITMIME", "250 2.0.0" },
	};
	struct world *w = *state;
	struct smtpd_server *srv;
	FILE *session;

	srv = begin_session(w, &session);
	say(session, "", "220");
	say_hello(session);
	for (size_t i = 0; i < COUNT(cases); i++) {
		char mail[64];

		snprintf(mail, sizeof(mail), "MAIL FROM:<a@a.test> %s\r\n",
		    cases[i].param);
		say(session, mail, "250");
		say(session, "RCPT TO:<b@b.test>\r\n", "250");
		say(session, "BDAT 4 LAST\r\n\r\nx\n", cases[i].code);
	}
	say(session, "QUIT\r\n", "221");
	fclose(session);
	smtpd_server_destroy(srv);
}

static void
test_deliver(void **state)
{
	struct world *w = *state;
	struct smtpd_server *srv;
	char out[4096];
	int size, error;
	FILE *session;

	world_close(w, 0);
	w->settings.fix = SMTPD_FIX_BCC;
	w->settings.local_domain = "here.test";
	w->settings.submitted = keep_report;
	w->settings.submitted_user = w;
	world_open(w);
	srv = begin_session(w, &session);
	say(session, "", "220 ");
	say_hello(session);
	say(session, "MAIL FROM:<s@a2.test>\r\n", "250 ");
	say(session, "RCPT TO:<Postmaster>\r\n", "250 ");
	say(session, "RCPT TO:<one@a1.test>\r\n", "250 ");
	say(session, "DATA\r\n", "354 ");
	say(session, "a\rb\r\n.\r\n", "550 ");
	last_report(w, &size, &error);
	assert_int_equal(error, EBADMSG);
	assert_int_equal(world_counters(w).messages, 0);
	/* Trying again would not help. */
	say(session, "MAIL FROM:<s@a2.test>\r\n", "250 ");
	say(session, "RCPT TO:<one@a1.test> NOTIFY=MAYBE\r\n", "250 ");
	say(session, "DATA\r\n", "354 ");
	say(session, "hi\r\n.\r\n", "554 5.5.4 ");
	/* S11: <postmaster> is in the local domain. */
	say(session, "MAIL FROM:<s@a2.test>\r\n", "250 ");
	say(session, "RCPT TO:<Postmaster>\r\n", "250 ");
	say(session, "RCPT TO:<one@a1.test>\r\n", "250 ");
	say(session, "DATA\r\n", "354 ");
	say(session, "Bcc: x\r\nSubject: x\r\n\r\nhi\r\n.\r\n",
	    "250 2.0.0 Queued, id=");
	last_report(w, &size, &error);
	assert_int_equal(size, 26);
	assert_int_equal(error, 0);
	fclose(session);
	smtpd_server_destroy(srv);
	world_close(w, 0);
	assert_int_equal(world_ask(w, "show", w->id, out, sizeof(out)), 0);
	assert_non_null(strstr(out, "postmaster@here.test"));
	assert_int_equal(world_ask(w, "cat", w->id, out, sizeof(out)), 0);
	assert_ptr_equal(strstr(out, "Received: from c "), out);
	assert_non_null(strstr(out, "\r\nSubject: x\r\n\r\nhi\r\n"));
	assert_null(strstr(out, "Bcc"));
	assert_null(strstr(out, "Message-ID"));
	world_open(w);
}

/* With segments that a record of any size fits in. */
static int
setup_large(void **state)
{
	struct world *w;

	world_setup(state);
	w = *state;
	w->settings.segment_size = 8 << 20;
	world_open(w);
	return 0;
}

/* S11: more recipients than a record holds are refused where they are added. */
static void
too_many_recipients_are_refused(void **state)
{
	/* Too many in all, or of domains of their own. */
	static const struct {
		bool one_domain;
		size_t count;
	} cases[] = { { true, 80000 }, { false, 40000 } };
	struct world *w = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t count = cases[i].count;
		struct smtpd_outgoing_rcpt *rcpts =
		    calloc(count, sizeof(*rcpts));
		char(*text)[64] = calloc(count, sizeof(*text));
		struct world_mail mail = { .envelope.sender = "s@a2.test",
			.envelope.rcpts = rcpts };
		struct smtpd_queue_message *m;

		for (size_t k = 0; k < count; k++) {
			snprintf(text[k], sizeof(*text),
			    cases[i].one_domain
				? "user-number-%zu@lists.example"
				: "u@%zu.lists.example",
			    k);
			rcpts[k] = (struct smtpd_outgoing_rcpt){
				SMTPD_OUTGOING_RCPT_INIT, .address = text[k]
			};
		}
		mail.envelope.nrcpts = count;
		errno = 0;
		assert_null(world_begin_mail(w, &mail));
		assert_int_equal(errno, EFBIG);
		mail.envelope.nrcpts = count / 8 * 3;
		m = world_begin_mail(w, &mail);
		assert_non_null(m);
		assert_int_equal(smtpd_queue_write(m, "a: b\r\n", 6), 0);
		assert_int_equal(smtpd_queue_commit(m, NULL), 0);
		free(rcpts);
		free(text);
	}
}

/* S11: the last recipients are refused, and the others get the message. */
static void
a_record_is_full_at_rcpt(void **state)
{
	struct world *w = *state;
	struct smtpd_server *srv;
	char line[600], out[600];
	bool full = false;
	FILE *session;
	size_t n;

	srv = begin_session(w, &session);
	say(session, "", "220 ");
	say(session, "HELO c\r\n", "250 ");
	say(session, "MAIL FROM:<s@a2.test>\r\n", "250 ");
	for (n = 0; !full && n < 80000; n++) {
		snprintf(line, sizeof(line),
		    "RCPT TO:<user-number-%zu@lists.example>\r\n", n);
		fseek(session, 0, SEEK_CUR);
		fputs(line, session);
		fflush(session);
		assert_non_null(fgets(out, sizeof(out), session));
		full = strncmp(out, "452 4.5.3 ", 10) == 0;
	}
	assert_in_range(n, 50000, 70000);
	say(session, "DATA\r\n", "354 ");
	say(session, "Subject: x\r\n\r\nhi\r\n.\r\n", "250 2.0.0 Queued");
	fclose(session);
	smtpd_server_destroy(srv);
}

/* Root and staff are aliases; odd is one of an address that there cannot be. */
static int
expand_aliases(const char *address, struct smtpd_expansion *x, void *user)
{
	(void)user;
	if (strcmp(address, "root@queue.test") == 0)
		return smtpd_expansion_add(x, "ann@a1.test");
	if (strcmp(address, "odd@queue.test") == 0)
		return smtpd_expansion_add(x, "odd");
	if (strcmp(address, "staff@queue.test") != 0)
		return 0;
	return smtpd_expansion_add(x, "ann@A1.test") == 0 &&
		smtpd_expansion_add(x, "bob@a1.test") == 0
	    ? 0
	    : -1;
}

/* RFC 5321, 3.9.1: an alias is replaced in the one record, and who is named
 * twice gets one message.  RFC 3461, 5.2.7.2; RFC 3461, 5.2.7.3: what was asked
 * for goes along, but SUCCESS, with what came with it, to one alone.  RFC 3461,
 * 5.2.1: the alias is the original recipient. */
static void
aliases_are_expanded(void **state)
{
	static const struct {
		const char *rcpts[3];
		const char *notify, *orcpt;
		const char *out[3];
		const char *notify_out[3];
		const char *orcpt_out[3];
	} cases[] = {
		{ { "one@a1.test" }, NULL, NULL, { "one@a1.test" }, { NULL },
		    { NULL } },
		{ { "root" }, "NEVER", NULL, { "ann@a1.test" }, { "NEVER" },
		    { "rfc822;root@queue.test" } },
		{ { "root@localhost" }, "SUCCESS", "rfc822;x@y",
		    { "ann@a1.test" }, { "SUCCESS" }, { "rfc822;x@y" } },
		{ { "staff" }, "FAILURE", NULL,
		    { "ann@A1.test", "bob@a1.test" }, { "FAILURE", "FAILURE" },
		    { "rfc822;staff@queue.test", "rfc822;staff@queue.test" } },
		{ { "staff" }, "FAILURE", "rfc822;x@y",
		    { "ann@A1.test", "bob@a1.test" }, { "FAILURE", "FAILURE" },
		    { "rfc822;x@y", "rfc822;x@y" } },
		{ { "staff" }, "SUCCESS", "rfc822;x@y",
		    { "ann@A1.test", "bob@a1.test" }, { "SUCCESS", NULL },
		    { "rfc822;x@y", "rfc822;staff@queue.test" } },
		{ { "staff" }, "SUCCESS,FAILURE", NULL,
		    { "ann@A1.test", "bob@a1.test" },
		    { "SUCCESS,FAILURE", NULL },
		    { "rfc822;staff@queue.test", "rfc822;staff@queue.test" } },
		{ { "root", "bob@a1.test", "staff" }, NULL, NULL,
		    { "ann@a1.test", "bob@a1.test" }, { NULL }, { NULL } },
	};
	struct world *w = *state;

	smtpd_queue_close(w->queue);
	w->settings.expand = expand_aliases;
	world_open(w);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct smtpd_outgoing_rcpt rcpts[3];
		const struct smtpd_outgoing_rcpt *out;
		struct smtpd_outgoing_envelope e = {
			SMTPD_OUTGOING_ENVELOPE_INIT,
			.sender = "",
			.rcpts = rcpts,
		};
		const struct smtpd_queue_options options = {
			SMTPD_QUEUE_OPTIONS_INIT, .fix = SMTPD_FIX_ADDRESSES
		};
		struct smtpd_queue_message *m;
		size_t n = 0;

		for (; e.nrcpts < 3 && cases[i].rcpts[e.nrcpts]; e.nrcpts++)
			rcpts[e.nrcpts] = (struct smtpd_outgoing_rcpt){
				SMTPD_OUTGOING_RCPT_INIT,
				cases[i].rcpts[e.nrcpts], cases[i].notify,
				cases[i].orcpt
			};
		m = smtpd_queue_begin(w->queue, &e, &options);
		assert_non_null(m);
		out = m->mail.envelope.rcpts;
		for (; n < 3 && cases[i].out[n] != NULL; n++) {
			assert_string_equal(out[n].address, cases[i].out[n]);
			if (cases[i].notify_out[n] != NULL)
				assert_string_equal(
				    out[n].notify, cases[i].notify_out[n]);
			else
				assert_null(out[n].notify);
			if (cases[i].orcpt_out[n] != NULL)
				assert_string_equal(
				    out[n].orcpt, cases[i].orcpt_out[n]);
		}
		assert_int_equal(m->mail.envelope.nrcpts, n);
		smtpd_queue_abort(m);
	}
}

/* What a callback cannot add is told, and refuses the message. */
static void
bad_expansions_are_refused(void **state)
{
	const struct smtpd_outgoing_rcpt odd = { SMTPD_OUTGOING_RCPT_INIT,
		.address = "odd@queue.test" };
	const struct smtpd_outgoing_envelope e = { SMTPD_OUTGOING_ENVELOPE_INIT,
		.sender = "", .rcpts = &odd, .nrcpts = 1 };
	struct world *w = *state;

	smtpd_queue_close(w->queue);
	w->settings.expand = expand_aliases;
	world_open(w);
	assert_null(smtpd_queue_begin(w->queue, &e, NULL));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(smtpd_expansion_add(NULL, "a@b"), -1);
	assert_int_equal(errno, EINVAL);
}

/* A sender without a domain, or in that of this host, is completed and
 * hidden. */
static void
senders_are_completed(void **state)
{
	static const struct {
		const char *masquerade, *in, *out;
	} cases[] = {
		{ NULL, "root", "root@queue.test" },
		{ NULL, "\"a@b\"", "\"a@b\"@queue.test" },
		{ NULL, "root@localhost", "root@queue.test" },
		{ NULL, "a@queue.test", "a@queue.test" },
		{ "hid.test", "root", "root@hid.test" },
		{ "hid.test", "a@Queue.test", "a@hid.test" },
		{ "hid.test", "a@x.queue.test", "a@x.queue.test" },
		{ "hid.test", "", "" },
	};
	const struct smtpd_queue_options options = { SMTPD_QUEUE_OPTIONS_INIT,
		.fix = SMTPD_FIX_ADDRESSES };
	struct world *w = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct smtpd_outgoing_envelope e = {
			SMTPD_OUTGOING_ENVELOPE_INIT,
			.sender = cases[i].in,
			.rcpts = &one_rcpt,
			.nrcpts = 1,
		};
		struct smtpd_queue_message *m;

		smtpd_queue_close(w->queue);
		w->settings.masquerade = cases[i].masquerade;
		world_open(w);
		m = smtpd_queue_begin(w->queue, &e, &options);
		assert_non_null(m);
		assert_string_equal(m->mail.envelope.sender, cases[i].out);
		smtpd_queue_abort(m);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)
#define TEST_LARGE(name) \
	cmocka_unit_test_setup_teardown(name, setup_large, world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_header),
		TEST(test_signatures),
		TEST(test_bad_addresses),
		TEST(what_cannot_be_sent_is_refused),
		TEST(envelope_and_options_are_copied),
		TEST(bad_settings_are_refused),
		TEST(a_queue_is_started_once),
		TEST(test_ids),
		TEST(test_abort),
		TEST(test_no_room),
		TEST(the_floor_is_met_in_a_message),
		TEST(test_write_fails),
		TEST(test_deliver),
		TEST(wishes_are_refused),
		TEST(aliases_are_expanded),
		TEST(bad_expansions_are_refused),
		TEST(senders_are_completed),
		TEST_LARGE(too_many_recipients_are_refused),
		TEST_LARGE(a_record_is_full_at_rcpt),
		TEST(test_memory),
		TEST(test_open_memory),
	};

	return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
