/* SPDX-License-Identifier: MIT */
/* The packets of the milter protocol, taken apart, and what they say. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <smtpd/milter.h>

#include "milter/changes.h"
#include "milter/connection.h"
#include "milter/decision.h"
#include "milter/macros.h"

#include "test.h"

/* The packet of COMMAND with LEN bytes at DATA. */
static struct smtpd_packet
make(char command, const char *data, size_t len)
{
	return (struct smtpd_packet){ command, data, len };
}

#define MAKE(command, data) make(command, data, sizeof(data) - 1)

static void
packets_are_written(void **state)
{
	static const char wanted[] = "\0\0\0\013Bxy\0\1\2\3\4\0\7";
	struct smtpd_packet_writer w = { 0 };

	(void)state;
	smtpd__packet_begin(&w, 'B');
	smtpd__packet_add_text(&w, "xy");
	smtpd__packet_add_u32(&w, 0x01020304);
	smtpd__packet_add_u16(&w, 7);
	smtpd__packet_end(&w);
	assert_int_equal(w.out.len, 4 + 1 + 3 + 4 + 2);
	assert_memory_equal(w.out.data + 4, wanted + 4, 10);
	assert_int_equal(w.out.data[3], 1 + 3 + 4 + 2);
	smtpd__pack_free(&w.out);
}

/* Each beginning of a packet is a part of it. */
static void
packets_are_found(void **state)
{
	static const char data[] = "\0\0\0\3abc\0\0";
	struct smtpd_packet p;
	size_t wanted;

	(void)state;
	for (size_t len = 0; len < 7; len++) {
		assert_int_equal(smtpd__packet_find(data, len, &p, &wanted),
		    SMTPD_PACKET_PART);
		assert_int_equal(wanted, len < 4 ? 4 : 7);
	}
	assert_int_equal(
	    smtpd__packet_find(data, 9, &p, &wanted), SMTPD_PACKET_WHOLE);
	assert_int_equal(wanted, 7);
	assert_int_equal(p.command, 'a');
	assert_int_equal(p.len, 2);
}

static void
lengths_are_bounded(void **state)
{
	struct smtpd_packet p;
	size_t wanted;

	(void)state;
	assert_int_equal(smtpd__packet_find("\0\0\0\0", 4, &p, &wanted),
	    SMTPD_PACKET_INVALID);
	assert_int_equal(smtpd__packet_find("\0\20\0\1", 4, &p, &wanted),
	    SMTPD_PACKET_INVALID);
	assert_int_equal(
	    smtpd__packet_find("\0\20\0\0", 4, &p, &wanted), SMTPD_PACKET_PART);
	assert_int_equal(smtpd__packet_find("\377\377\377\377", 4, &p, &wanted),
	    SMTPD_PACKET_INVALID);
}

static void
negotiations_are_read(void **state)
{
	struct smtpd_negotiated n;
	struct smtpd_packet good = MAKE('O',
	    "\0\0\0\6\0\0\1\377\0\20\4\200\0\0\0\2i {mail_addr}\0"
	    "\0\0\0\7unknown\0");
	static const struct {
		const char *data;
		size_t len;
	} bad[] = {
		{ "\0\0\0\6\0\0\1\377\0\20\4", 11 },
		{ "\0\0\0\1\0\0\0\0\0\0\0\0", 12 },
		{ "\0\0\0\7\0\0\0\0\0\0\0\0", 12 },
		{ "\0\0\0\6\0\0\2\0\0\0\0\0", 12 },
		{ "\0\0\0\6\0\0\0\0\0\0\10\0", 12 },
		{ "\0\0\0\6\0\0\0\0\0\0\0\0\0\0\0\2i", 17 },
		{ "\0\0\0\6\0\0\0\0\0\0\0\0\0", 13 },
	};

	(void)state;
	assert_null(smtpd__negotiate_read(&good, &n));
	assert_int_equal(n.actions, 0x1ff);
	assert_int_equal(n.steps, 0x100480);
	assert_true(n.listed[SMTPD_MILTER_AT_MAIL]);
	assert_string_equal(n.macros[SMTPD_MILTER_AT_MAIL], "i {mail_addr}");
	assert_false(n.listed[SMTPD_MILTER_AT_RCPT]);
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct smtpd_packet p = make('O', bad[i].data, bad[i].len);

		assert_non_null(smtpd__negotiate_read(&p, &n));
	}
}

static const char *
find_value(void *user, const char *name)
{
	(void)user;
	return strcmp(name, "none") != 0 ? name : NULL;
}

static void
macros_are_those_that_were_asked_for(void **state)
{
	static const char wanted[] = "DMi\0i\0{mail_addr}\0mail_addr\0";
	struct smtpd_negotiated n = { .listed[SMTPD_MILTER_AT_MAIL] = true,
		.listed[SMTPD_MILTER_AT_RCPT] = true };
	struct smtpd_packet_writer w = { 0 };

	(void)state;
	snprintf(n.macros[SMTPD_MILTER_AT_MAIL], 32, " i, {none} mail_addr");
	snprintf(n.macros[SMTPD_MILTER_AT_RCPT], 32, "{none}");
	smtpd__macros_write(
	    &w, &n, SMTPD_MILTER_AT_MAIL, SMTPD_MILTER_MAIL, find_value, NULL);
	assert_int_equal(w.out.len, 4 + sizeof(wanted) - 1);
	assert_memory_equal(w.out.data + 4, wanted, sizeof(wanted) - 1);
	smtpd__macros_write(
	    &w, &n, SMTPD_MILTER_AT_RCPT, SMTPD_MILTER_RCPT, find_value, NULL);
	assert_int_equal(w.out.len, 4 + sizeof(wanted) - 1);
	smtpd__pack_free(&w.out);
}

static void
replies_are_read(void **state)
{
	static const struct {
		const char *text;
		int code;
		const char *enhanced;
		const char *reply;
	} cases[] = {
		{ "550 5.7.1 No", 550, "5.7.1", "No" },
		{ "451", 451, "", "" },
		{ "421 4.7.0 100%% full", 421, "4.7.0", "100% full" },
		{ "550-5.7.1 one\r\n550 5.7.1 two", 550, "5.7.1", "one\ntwo" },
		{ "550 4.7.1 x", 550, "", "4.7.1 x" },
		{ "550 5.7 x", 550, "", "5.7 x" },
		{ "550 5.7.12345678 x", 550, "", "5.7.12345678 x" },
	};
	static const char *const bad[] = { "", "55", "250 2.0.0 OK", "650 x",
		"5500 x", "abc", "354 go" };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct smtpd_packet p =
		    make('y', cases[i].text, strlen(cases[i].text) + 1);
		struct smtpd_decision v = { 0 };

		assert_true(smtpd__decision_read(&p, &v));
		assert_int_equal(v.code, cases[i].code);
		assert_string_equal(v.enhanced, cases[i].enhanced);
		assert_string_equal(v.text, cases[i].reply);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct smtpd_packet p = make('y', bad[i], strlen(bad[i]) + 1);
		struct smtpd_decision v = { 0 };

		assert_false(smtpd__decision_read(&p, &v));
	}
}

/* What was not agreed on, or has no end, is no change. */
static void
changes_are_checked(void **state)
{
	const struct smtpd_negotiated some = {
		.actions = SMTPD_MILTER_MAY_ADD_HEADER,
	};
	struct smtpd_changes c = { 0 };
	struct smtpd_packet good = MAKE('h', "X\0y\0");
	struct smtpd_packet bad[] = { MAKE('h', "X\0y"), MAKE('h', "X\0"),
		MAKE('h', ""), MAKE('i', "\0\0\0\1X\0"), MAKE('i', "\0\0"),
		MAKE('m', "\0\0\0\1X\0y\0"), MAKE('+', "a@b\0"),
		MAKE('b', "body"), MAKE('c', "") };

	(void)state;
	assert_int_equal(smtpd__changes_add(&c, &good, &some), 0);
	assert_string_equal(c.list[0].name, "X");
	assert_string_equal(c.list[0].value, "y");
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(smtpd__changes_add(&c, &bad[i], &some), -1);
		assert_int_equal(errno, EPROTO);
	}
	assert_int_equal(c.count, 1);
	smtpd__changes_finish(&c);
}

static void
changes_are_bounded(void **state)
{
	const struct smtpd_negotiated all = { .actions = SMTPD_MILTER_ACTIONS };
	struct smtpd_changes c = { 0 };
	int n = 0;

	(void)state;
	for (;; n++) {
		struct smtpd_packet p = MAKE('h', "X\0y\0");

		if (smtpd__changes_add(&c, &p, &all) == -1)
			break;
	}
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(n, SMTPD_CHANGES_MAX);
	smtpd__changes_finish(&c);
}

static void
addresses_are_read(void **state)
{
	static const char *const good[] = { "unix:/run/x", "local:/run/x",
		"/run/x", "inet:8891@localhost", "inet:127.0.0.1:8891",
		"localhost:8891", "[::1]:8891", "inet6:8891@[::1]" };
	static const char *const bad[] = { "", "unix:run/x", "localhost", ":1",
		"localhost:", "localhost:x", "localhost:65536", "localhost:0",
		"x@localhost", "inet:" };

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct smtpd_milter *m = smtpd_milter_create(good[i], NULL);

		assert_non_null(m);
		smtpd_milter_destroy(m);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_null(smtpd_milter_create(bad[i], NULL));
		assert_int_equal(errno, EINVAL);
	}
	assert_null(smtpd_milter_create(NULL, NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_are_written),
		cmocka_unit_test(packets_are_found),
		cmocka_unit_test(lengths_are_bounded),
		cmocka_unit_test(negotiations_are_read),
		cmocka_unit_test(macros_are_those_that_were_asked_for),
		cmocka_unit_test(replies_are_read),
		cmocka_unit_test(changes_are_checked),
		cmocka_unit_test(changes_are_bounded),
		cmocka_unit_test(addresses_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
