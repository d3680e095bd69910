/* SPDX-License-Identifier: MIT */
/* What is signed goes out in 7 bits (RFC 6376, 5.3). */
#include "queue/seven_bit.h"

#include <errno.h>
#include <string.h>

#include "failing.h"
#include "queue_fixture.h"

#include "test.h"

#define TEXT                 \
	"Gr\xc3\xbc\xc3\x9f" \
	"e"
#define FIELD "From: ann@x.test\r\n"

/* Signatures are not verified here. */
static int
sign_blindly(const unsigned char *hash, unsigned char *signature, void *user)
{
	(void)hash;
	(void)user;
	memset(signature, 'x', 64);
	return 0;
}

/* Open W, which signs for x.test. */
static bool
begin_signing(struct world *w)
{
	const struct smtpd_dkim_key key = {
		SMTPD_DKIM_KEY_INIT,
		.domain = "x.test",
		.selector = "s",
		.sign = sign_blindly,
		.algorithm = SMTPD_DKIM_ED25519_SHA256,
	};
	struct smtpd_dkim *dkim = smtpd_dkim_create();

	if (dkim == NULL)
		return false;
	assert_int_equal(
	    smtpd_dkim_add_key(dkim, &key, w->error, sizeof(w->error)), 0);
	w->settings.dkim = dkim;
	world_begin(w);
	smtpd_dkim_unref(dkim);
	return true;
}

static const struct smtpd_outgoing_rcpt rcpt = { SMTPD_OUTGOING_RCPT_INIT,
	.address = "bob@a1.test" };

/* What the host of W got of CONTENT. */
static const char *
send_content(struct world *w, const char *content)
{
	struct world_mail mail = { .envelope.sender = "ann@x.test",
		.envelope.rcpts = &rcpt,
		.envelope.nrcpts = 1,
		.envelope.eight_bit = true };
	size_t before = w->hosts[0].count;

	world_send_mail(w, &mail, content);
	world_await(w, 0);
	assert_int_equal(w->hosts[0].count, before + 1);
	return w->hosts[0].messages[before].data;
}

static const struct {
	const char *content;
	const char *sent; /* some of what goes out */
	bool eight_bit;   /* that has such bytes */
} cases[] = {
	{ FIELD "\r\n" TEXT "\r\n", "\n\nR3LDvMOfZQ0K\n", false },
	{ FIELD "Content-Type: text/html\r\n\r\nA longer text with " TEXT
		" in it\r\n",
	    "with Gr=C3=BC=C3=9Fe in", false },
	/* Nobody has a key for it: it is converted for the host. */
	{ "From: ann@y.test\r\n\r\n" TEXT "\r\n", "R3LDvMOfZQ0K", false },
	/* A part must stay, another has signed, or it is a header alone. */
	{ FIELD "Content-Type: multipart/signed; boundary=b\r\n\r\n"
		"--b\r\n\r\n" TEXT "\r\n--b--\r\n",
	    TEXT, true },
	{ "DKIM-Signature: v=1\r\n" FIELD "\r\n" TEXT "\r\n", TEXT, true },
	{ FIELD "Subject: " TEXT "\r\n", "Subject: " TEXT, true },
	/* A header stays as it is. */
	{ FIELD "Subject: " TEXT "\r\n\r\n" TEXT "\r\n", "R3LDvMOfZQ0K", true },
};

static bool
has_eight_bit(const char *text)
{
	while (*text != '\0' && (unsigned char)*text < 128)
		text++;
	return *text != '\0';
}

static void
what_is_signed_is_converted_before(void **state)
{
	struct world *w = *state;

	if (!begin_signing(w))
		skip();
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *data = send_content(w, cases[i].content);

		if (strstr(data, cases[i].sent) == NULL ||
		    has_eight_bit(data) != cases[i].eight_bit)
			fail_msg("%zu: %s", i, data);
		assert_true((strstr(data, "d=x.test") != NULL) == (i != 2));
	}
	world_close(w, 0);
}

static void
the_program_may_want_it_as_it_is(void **state)
{
	struct world *w = *state;
	const char *data;

	w->settings.dkim_as_is = true;
	if (!begin_signing(w))
		skip();
	data = send_content(w, cases[0].content);
	assert_non_null(strstr(data, "\n\n" TEXT "\n"));
	assert_non_null(strstr(data, "d=x.test"));
	world_close(w, 0);
}

/* It is refused, small or large, and another attempt works. */
static void
no_message_is_lost_without_memory(void **state)
{
	static char large[100000] = FIELD "\r\n" TEXT;
	const char *const contents[] = { cases[0].content, large };
	struct world_mail mail = { .envelope.sender = "ann@x.test",
		.envelope.rcpts = &rcpt,
		.envelope.nrcpts = 1 };
	struct world *w = *state;

	for (size_t i = strlen(large); i < sizeof(large) - 1; i++)
		large[i] = "\r\nbody"[i % 6];
	if (!begin_signing(w))
		skip();
	for (size_t i = 0; i < COUNT(contents); i++) {
		bool failed = true;

		for (int n = 0; failed; n++) {
			struct smtpd_queue_message *m =
			    world_begin_mail(w, &mail);
			int status;

			assert_true(n < 1000);
			assert_int_equal(smtpd_queue_write(m, contents[i],
					     strlen(contents[i])),
			    0);
			failing_after(n);
			status = smtpd_queue_commit(m, NULL);
			failed = failing_ended();
			assert_true(failed || status == 0);
			/* EIO: the key failed. */
			if (status == -1)
				assert_true(errno == ENOMEM || errno == EIO);
		}
	}
	world_await(w, 0);
	for (size_t i = 0; i < w->hosts[0].count; i++)
		assert_false(has_eight_bit(w->hosts[0].messages[i].data));
	world_close(w, 0);
}

#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_is_signed_is_converted_before),
		CASE(the_program_may_want_it_as_it_is),
		CASE(no_message_is_lost_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
