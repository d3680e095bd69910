/* SPDX-License-Identifier: MIT */
#include <smtpd/dkim.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "crypto/digest.h"
#include "dkim/key_record.h"
#include "dkim/message.h"
#include "dkim/signer.h"

#include "test.h"

/* The example of RFC 8463 and of RFC 6376. */
#define HEADER                                             \
	"From: Joe SixPack <joe@football.example.com>\r\n" \
	"To: Suzi Q <suzie@shopping.example.net>\r\n"      \
	"Subject: Is dinner ready?\r\n"                    \
	"Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"  \
	"Message-ID: "                                     \
	"<20030712040037.46341.5F8J@football.example.com>\r\n"
#define BODY                             \
	"Hi.\r\n\r\n"                    \
	"We lost the game.  Are you hun" \
	"gry yet?\r\n\r\n"               \
	"Joe.\r\n"

/* A key that is elsewhere. */
struct elsewhere {
	unsigned char hash[SMTPD_DKIM_HASH_SIZE]; /* what it signed last */
	unsigned calls;
	bool fails;
};

static int
sign_elsewhere(const unsigned char *hash, unsigned char *signature, void *user)
{
	struct elsewhere *e = user;

	e->calls++;
	memcpy(e->hash, hash, sizeof(e->hash));
	memset(signature, 0x5a, 64);
	return e->fails ? -1 : 0;
}

static void
add_ed25519(struct smtpd_dkim *d, struct elsewhere *e, const char *domain,
    const char *selector, bool subdomains)
{
	char error[256] = "";

	assert_int_equal(smtpd_dkim_add_key(d,
			     &(struct smtpd_dkim_key){
				 SMTPD_DKIM_KEY_INIT,
				 .domain = domain,
				 .selector = selector,
				 .subdomains = subdomains,
				 .sign = sign_elsewhere,
				 .user = e,
				 .algorithm = SMTPD_DKIM_ED25519_SHA256,
			     },
			     error, sizeof(error)),
	    0);
	assert_string_equal(error, "");
}

/* Sign TEXT, fed in pieces of STEP bytes; the fields go to OUT, or why there
 * are none. */
static void
sign_text(struct smtpd_dkim *d, const char *domain, const char *text,
    size_t step, char *out, size_t size)
{
	struct smtpd_dkim_message *m = smtpd_dkim_begin(d, domain);
	size_t len = strlen(text), room;
	const char *fields;

	assert_non_null(m);
	for (size_t at = 0; at < len; at += step)
		assert_int_equal(smtpd_dkim_write(m, text + at,
				     len - at < step ? len - at : step),
		    0);
	assert_int_equal(smtpd__dkim_message_end_header(m), 0);
	room = smtpd__dkim_message_room(m);
	fields = smtpd_dkim_end(m);
	if (fields == NULL) {
		assert_int_equal(errno, EIO);
		snprintf(out, size, "failed: %s", smtpd_dkim_reason(m));
	} else {
		/* The room was known before the body. */
		assert_int_equal(strlen(fields), room);
		snprintf(out, size, "%s",
		    *fields != '\0' ? fields : smtpd_dkim_reason(m));
	}
	smtpd_dkim_free(m);
}

/* Copy the value of the tag NAME of the signature FIELD to OUT, without white
 * space. */
static void
read_tag(const char *field, const char *name, char *out)
{
	char tag[16];
	const char *at;

	snprintf(tag, sizeof(tag), "%s=", name);
	at = strstr(field, tag);
	while (at != NULL && strchr(" \t", at[-1]) == NULL)
		at = strstr(at + 1, tag);
	assert_non_null(at);
	for (at += strlen(tag); *at != ';' && *at != '\0'; at++)
		if (strchr(" \t\r\n", *at) == NULL)
			*out++ = *at;
	*out = '\0';
}

/* RFC 8463, 3; RFC 6376, 3.7: the hash of the body, and of the header with
 * the signature in it. */
static void
the_example_has_its_hashes(void **state)
{
	static const char canonical[] =
	    "from:Joe SixPack <joe@football.example.com>\r\n"
	    "to:Suzi Q <suzie@shopping.example.net>\r\n"
	    "subject:Is dinner ready?\r\n"
	    "date:Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
	    "message-id:<20030712040037.46341.5F8J@football.example.com>\r\n"
	    "dkim-signature:v=1; a=ed25519-sha256; c=relaxed/relaxed; "
	    "d=football.example.com; s=brisbane; t=%s; "
	    "h=From:From:To:To:Subject:Subject:Date:Date:Message-ID"
	    ":Message-ID; bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=; b=";
	struct smtpd_dkim *d = smtpd_dkim_create();
	unsigned char hash[SMTPD_SHA256_SIZE];
	struct elsewhere e = { .calls = 0 };
	char field[2048], value[512], time[64], expected[2048];

	(void)state;
	add_ed25519(d, &e, "football.example.com", "brisbane", false);
	assert_int_equal(smtpd_dkim_set_fields(
			     d, "From:To:Subject:Date:Message-ID", NULL, 0),
	    0);
	sign_text(d, NULL, HEADER "\r\n" BODY, 7, field, sizeof(field));
	read_tag(field, "bh", value);
	assert_string_equal(
	    value, "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=");
	read_tag(field, "b", value);
	assert_int_equal(strlen(value), 88);
	assert_memory_equal(value, "WlpaWlpa", 8);

	read_tag(field, "t", time);
	snprintf(expected, sizeof(expected), canonical, time);
	assert_int_equal(
	    smtpd__digest_sha256(expected, strlen(expected), hash), 0);
	assert_memory_equal(hash, e.hash, sizeof(hash));
	smtpd_dkim_unref(d);
}

/* RFC 6376, 5.4.2, RFC 6376, 3.4.4: what stands in h= and bh= of odd
 * messages. */
static void
odd_messages_are_signed(void **state)
{
	static const char empty[] =
	    "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
	static const struct {
		const char *text, *names, *body; /* NULL: not looked at */
	} cases[] = {
		{ "From: a@x.example\r\n\r\n", "From:From:To", empty },
		{ "From: a@x.example\r\n\r\n\r\n \r\n", "From:From:To", empty },
		{ "From: a@x.example\r\n", "From:From:To", empty },
		{ "From: a@x.example", "From:From:To", empty },
		{ "fRoM :\r\n\t<a@X.example\r\n >\r\n\r\n", "From:From:To",
		    empty },
		{ "To: b\r\nto:\r\nFrom: a@x.example\r\nTO:c\r\n\r\n",
		    "From:From:To:To:To:To", empty },
		{ "From: a@x.example\r\nList-Id: x\r\nReceived: y\r\n\r\n",
		    "From:From:To:List-Id", empty },
		{ "From: eve@y.example\r\nFrom: a@x.example\r\n\r\n",
		    "From:From:From:To", empty },
		/* A line that is no field ends the header. */
		{ "From: a@x.example\r\nno field\r\nTo: b\r\n", "From:From:To",
		    NULL },
		{ "From: a@x.example\nTo: b\n\nx\n", "From:From:To:To", NULL },
		{ "From: a@x.example\r\n\r\nFrom: b\r\nTo: c\r\n",
		    "From:From:To", NULL },
	};
	struct smtpd_dkim *d = smtpd_dkim_create();
	struct elsewhere e = { .calls = 0 };
	unsigned char whole[SMTPD_DKIM_HASH_SIZE];
	char field[2048], value[512], times[2][64];

	(void)state;
	add_ed25519(d, &e, "x.example", "s", false);
	assert_int_equal(
	    smtpd_dkim_set_fields(d, "From:To:List-Id?", NULL, 0), 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t len = strlen(cases[i].text);

		sign_text(d, NULL, cases[i].text, len, field, sizeof(field));
		read_tag(field, "h", value);
		assert_string_equal(value, cases[i].names);
		read_tag(field, "bh", value);
		if (cases[i].body != NULL)
			assert_string_equal(value, cases[i].body);
		read_tag(field, "t", times[0]);
		memcpy(whole, e.hash, sizeof(whole));
		/* Byte by byte it is the same, if within the same second. */
		sign_text(d, NULL, cases[i].text, 1, field, sizeof(field));
		read_tag(field, "t", times[1]);
		if (strcmp(times[0], times[1]) == 0)
			assert_memory_equal(whole, e.hash, sizeof(whole));
	}
	smtpd_dkim_unref(d);
}

static void
the_key_is_that_of_from(void **state)
{
	static const struct {
		const char *from;
		const char *domain; /* of the signature; or a reason */
	} cases[] = {
		{ "From: a@x.example\r\n", "x.example" },
		{ "From: a@sub.x.example\r\n", "x.example" },
		{ "From: a@deep.sub.y.example\r\n", "sub.y.example" },
		{ "From: a@y.example\r\n", "y.example" },
		{ "From: a@ysub.y.example\r\n",
		    "there is no key for ysub.y.example" },
		{ "From: a@notx.example\r\n",
		    "there is no key for notx.example" },
		{ "From: root\r\n", "local.example" },
		{ "From: b@z.example, a@x.example\r\n", "x.example" },
		{ "From: b@z.example\r\nFrom: a@y.example\r\n", "y.example" },
		{ "From:\r\n", "no address in From has a domain" },
		{ "Sender: a@x.example\r\n",
		    "no address in From has a domain" },
		{ "", "no address in From has a domain" },
	};
	struct smtpd_dkim *d = smtpd_dkim_create();
	struct elsewhere e = { .calls = 0 };
	char field[2048], value[512];

	(void)state;
	add_ed25519(d, &e, "X.Example", "s", true);
	add_ed25519(d, &e, "y.example", "s", false);
	add_ed25519(d, &e, "sub.y.example", "s", true);
	add_ed25519(d, &e, "local.example", "s", false);
	for (size_t i = 0; i < COUNT(cases); i++) {
		sign_text(d, "local.example", cases[i].from, 100, field,
		    sizeof(field));
		if (strncmp(field, "DKIM-Signature:", 15) == 0)
			read_tag(field, "d", value);
		else
			snprintf(value, sizeof(value), "%.500s", field);
		assert_string_equal(value, cases[i].domain);
	}
	sign_text(d, NULL, "From: root\r\n", 100, field, sizeof(field));
	assert_string_equal(field, "no address in From has a domain");
	smtpd_dkim_unref(d);
}

static void
what_has_too_much_is_not_signed(void **state)
{
	struct smtpd_dkim *d = smtpd_dkim_create();
	struct smtpd_dkim_message *m;
	struct elsewhere e = { .calls = 0 };
	char text[16384] = "From: a@x.example\r\n", field[16384];
	size_t len = strlen(text);

	(void)state;
	add_ed25519(d, &e, "x.example", "s", false);
	for (size_t i = 0; i < 1000; i++)
		len += (size_t)snprintf(
		    text + len, sizeof(text) - len, "To: b\r\n");
	sign_text(d, NULL, text, 100, field, sizeof(field));
	assert_memory_equal(field, "DKIM-Signature:", 15);
	snprintf(text + len, sizeof(text) - len, "To: b\r\n");
	sign_text(d, NULL, text, 100, field, sizeof(field));
	assert_string_equal(field, "a field occurs too often");

	m = smtpd_dkim_begin(d, NULL);
	assert_int_equal(
	    smtpd_dkim_write(m, "From: a@x.example\r\nTo:", 22), 0);
	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i <= 1048576 / sizeof(text); i++)
		assert_int_equal(smtpd_dkim_write(m, text, sizeof(text)), 0);
	assert_string_equal(smtpd_dkim_end(m), "");
	assert_string_equal(smtpd_dkim_reason(m), "its header is too long");
	smtpd_dkim_free(m);
	smtpd_dkim_unref(d);
}

/* RFC 6376, 3.5: no line of the field is longer than need be, whatever is in
 * it, and several keys give several fields. */
static void
fields_are_folded(void **state)
{
	struct smtpd_dkim *d = smtpd_dkim_create();
	struct elsewhere e = { .calls = 0 };
	char field[8192];
	size_t fields = 0;

	(void)state;
	for (size_t i = 0; i < 5; i++)
		add_ed25519(d, &e, "x.example", "selector", false);
	sign_text(d, NULL, "From: a@x.example\r\nTo: b\r\n\r\nx", 100, field,
	    sizeof(field));
	for (const char *at = field; *at != '\0';) {
		size_t len = strcspn(at, "\r");

		assert_true(len > 1 && len <= 77);
		assert_memory_equal(at + len, "\r\n", 2);
		fields += strncmp(at, "DKIM-Signature:", 15) == 0;
		at += len + 2;
	}
	/* No more than four. */
	assert_int_equal(fields, 4);
	assert_int_equal(e.calls, 4);
	smtpd_dkim_unref(d);
}

static void
a_key_that_fails_is_told(void **state)
{
	struct smtpd_dkim *d = smtpd_dkim_create();
	struct elsewhere e = { .fails = true };
	char field[512];

	(void)state;
	add_ed25519(d, &e, "x.example", "s", false);
	sign_text(
	    d, NULL, HEADER "From: a@x.example\r\n", 9, field, sizeof(field));
	assert_string_equal(
	    field, "failed: the key of this domain failed: x.example");
	smtpd_dkim_unref(d);
}

/* RFC 6376, 5.4 */
static void
wrong_keys_and_lists_are_refused(void **state)
{
	struct smtpd_dkim *d = smtpd_dkim_create();
	struct elsewhere e = { .calls = 0 };
	const struct smtpd_dkim_key good = {
		SMTPD_DKIM_KEY_INIT,
		.domain = "x.example",
		.selector = "s",
		.sign = sign_elsewhere,
		.user = &e,
		.signature_size = 256,
	};
	struct smtpd_dkim_key keys[] = { good, good, good, good, good, good,
		good, good, good };
	static const char *const lists[] = { "", "From:", ":From", "a b",
		"From:from", "Received", "From:bcc", "DKIM-Signature", "a;b",
		"?", "To?:To" };
	char error[256];

	(void)state;
	keys[0].size = 0;
	keys[1].domain = "x..example";
	keys[2].selector = NULL;
	keys[3].algorithm = (enum smtpd_dkim_algorithm)2;
	keys[4].signature_size = 127;
	keys[5].signature_size = 513;
	keys[6].sign = NULL;
	keys[7].file = "/dev/null";
	keys[8].domain = "x.example\r\n";
	for (size_t i = 0; i < COUNT(keys); i++) {
		errno = 0;
		assert_int_equal(
		    smtpd_dkim_add_key(d, &keys[i], error, sizeof(error)), -1);
		assert_int_equal(errno, EINVAL);
		assert_true(strlen(error) > 10);
	}
	for (size_t i = 0; i < COUNT(lists); i++) {
		assert_int_equal(
		    smtpd_dkim_set_fields(d, lists[i], error, sizeof(error)),
		    -1);
		assert_int_equal(errno, EINVAL);
	}
	assert_int_equal(smtpd_dkim_add_key(d, &good, NULL, 0), 0);
	smtpd_dkim_free(smtpd_dkim_begin(d, NULL));
	assert_int_equal(smtpd_dkim_add_key(d, &good, NULL, 0), -1);
	assert_int_equal(errno, EBUSY);
	smtpd_dkim_unref(d);
}

/* RFC 6376, 3.6.1; RFC 6376, 3.2: a key has a record that is its own. */
static void
records_are_compared(void **state)
{
	static const struct {
		const char *before, *after; /* the public key between them */
		const char *fault;
	} cases[] = {
		{ "v=DKIM1; k=rsa; p=", "", NULL },
		{ "p=", "", NULL },
		{ " v = DKIM1 ;h=sha1 : sha256;s=email;n=x=y; p = ", " ; t=y;",
		    NULL },
		{ "k=ed25519; p=", "", "has another public key" },
		{ "p=A", "", "has another public key" },
		{ "p=", "A", "has another public key" },
		{ "v=DKIM2; p=", "", "is no DKIM key record of version 1" },
		{ "k=rsa; v=DKIM1; p=", "",
		    "is no DKIM key record of version 1" },
		{ "h=sha1; p=", "", "does not allow sha256" },
		{ "s=tlsrpt; p=", "", "is not for mail" },
	};
	struct smtpd_dkim *d = smtpd_dkim_create();
	char pem[SMTPD_DKIM_PEM_SIZE], name[SMTPD_DKIM_NAME_SIZE];
	char record[SMTPD_DKIM_RECORD_SIZE], text[2048];

	(void)state;
	assert_int_equal(smtpd_dkim_make_key(1016, pem), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(smtpd_dkim_make_key(1024, pem), 0);
	assert_int_equal(smtpd_dkim_add_key(d,
			     &(struct smtpd_dkim_key){ SMTPD_DKIM_KEY_INIT,
				 .domain = "x.example", .selector = "s",
				 .pem = pem, .pem_len = strlen(pem) },
			     NULL, 0),
	    0);
	assert_int_equal(smtpd_dkim_count(d), 1);
	assert_int_equal(smtpd_dkim_record(d, 0, name, record), 0);
	assert_string_equal(name, "s._domainkey.x.example");
	assert_memory_equal(record, "v=DKIM1; k=rsa; p=", 18);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *fault;

		snprintf(text, sizeof(text), "%s%.40s \r\n\t%s%s",
		    cases[i].before, record + 18, record + 58, cases[i].after);
		fault = smtpd__key_record_compare(text, &d->keys[0]);
		if (fault == NULL || cases[i].fault == NULL)
			assert_true(fault == cases[i].fault);
		else
			assert_string_equal(fault, cases[i].fault);
	}
	assert_string_equal(smtpd__key_record_compare("v=DKIM1; p=", d->keys),
	    "says that the key was revoked");
	assert_string_equal(smtpd__key_record_compare("v=spf1 -all", d->keys),
	    "is no DKIM key record of version 1");
	assert_string_equal(
	    smtpd__key_record_compare("", d->keys), "has no public key");
	assert_int_equal(smtpd_dkim_record(d, 1, name, record), -1);
	assert_int_equal(errno, ERANGE);
	smtpd_dkim_unref(d);
}

/* Of 1016 bits, which mbedTLS 3.6 does not make any more. */
static const char short_key[] =
    "-----BEGIN RSA PRIVATE KEY-----\n"
    "MIICVgIBAAKBgACr4FdYqDO3mMpxWp/iglgMswRKzJCLjV4cwrVVG37eGVPw0CQv\n"
    "RSlOzTvJR1GFPbNjFlrUoYN0gPwem5x4kxNeaItE/1NNtiIITgtTdXnpsuE6FPHo\n"
    "j0HvA0LQyEMBNY8mlbcTVZtNP7uNkBeprUwo0OQE8g4De1+3qBDR3yYFAgMBAAEC\n"
    "f0Bia5X0fFscS0mnLxmExkMLlGIIu2TrcgPIFHFrOV0tk7oz3jou6EhyrSC7LJiD\n"
    "An3t09yvHDU6VDeLB1RLk/4ETHNidM2k/6fmMhXJ0j7T3yCTlQeI9tK1nUYsOhbq\n"
    "En71YcnpimSvIDnNYcS0qRofNLi4sFsmjxeFkd85KgECQA3y7SPNCXK+042Xs/eV\n"
    "fS9+mrRoBkIP9+7TiHIA3x/Quv7/S1jRSeSY80UbkDYfSMud1vkTAhWfeV++jQzV\n"
    "acECQAxSY1dz5cpDT5ie1l5Q5eJJfGMRp/vbwhbqDOBb0LZ+HJMeiURmHb9k5ALS\n"
    "t3BRU3DM3x+gotHR3aVXYyTA5UUCQAR62J5+42Hu15LJ/gquAB6Y0qbOIfRlnIMf\n"
    "fNrgXMijCOuMom5MCSdZ2AeB6rb3JTH/52LnL+wx45FUaYiNogECQAUNSnmypQZW\n"
    "rq3OgenNlVM/+eXMeWlD4sHuWDUsr9gCwMh4/qKyk4PDY9DcgCVm0qUu+lRHUjpg\n"
    "p1WBDL8m71kCQAxJEsFqCBvLRWIGAhVYDkNgz9HCUVF07nFn+HZV8XNonBGiqGA7\n"
    "TL8o+co/YX7M+S/wgPKnquGyFLkvQi7P1pU=\n"
    "-----END RSA PRIVATE KEY-----\n";

/* RFC 8301, 3.2 */
static void
short_keys_are_refused(void **state)
{
	char pem[SMTPD_RSA_KEY_PEM_MAX], error[256];
	const struct {
		const char *pem;
		int status;
	} cases[] = { { pem, 0 }, { short_key, -1 } };
	struct smtpd_dkim *d = smtpd_dkim_create();

	(void)state;
	assert_int_equal(smtpd__rsa_key_make(1024, pem), 0);
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(
		    smtpd_dkim_add_key(d,
			&(struct smtpd_dkim_key){ SMTPD_DKIM_KEY_INIT,
			    .domain = "x.example", .selector = "s",
			    .pem = cases[i].pem,
			    .pem_len = strlen(cases[i].pem) },
			error, sizeof(error)),
		    cases[i].status);
	assert_string_equal(
	    error, "the key has less than 1024 bits, which nobody verifies");
	smtpd_dkim_unref(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_has_its_hashes),
		cmocka_unit_test(odd_messages_are_signed),
		cmocka_unit_test(the_key_is_that_of_from),
		cmocka_unit_test(what_has_too_much_is_not_signed),
		cmocka_unit_test(fields_are_folded),
		cmocka_unit_test(a_key_that_fails_is_told),
		cmocka_unit_test(wrong_keys_and_lists_are_refused),
		cmocka_unit_test(short_keys_are_refused),
		cmocka_unit_test(records_are_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
