/* SPDX-License-Identifier: MIT */
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <smtpd.h>

#include "certs.h"
#include "transport/tls_conn.h"

#include "test.h"

static struct smtpd_tls *
create(const struct smtpd_tls_settings *settings)
{
	struct smtpd_tls *tls = smtpd_tls_create(settings);

	assert_non_null(tls);
	return tls;
}

static int
add(struct smtpd_tls *tls, const char *cert, const char *key)
{
	return smtpd_tls_add_files(tls, certs_at(cert), certs_at(key));
}

/* The error names WHERE first, and WHY in what follows. */
static void
check_error(struct smtpd_tls *tls, const char *where, const char *why)
{
	const char *error = smtpd_tls_error(tls);

	if (strncmp(error, where, strlen(where)) != 0 ||
	    strncmp(error + strlen(where), ": ", 2) != 0 ||
	    strstr(error + strlen(where), why) == NULL)
		fail_msg("\"%s\" is not %s: %s", error, where, why);
}

struct bad_pair {
	const char *cert, *key;
	const char *named; /* the file that is to blame */
	const char *reason;
};

static const struct bad_pair bad_pairs[] = {
	{ "none.pem", "a.key", "none.pem", "No such file or directory" },
	{ "a.pem", "none.key", "none.key", "No such file or directory" },
	{ "db", "a.key", "db", "Is a directory" },
	{ "empty.pem", "a.key", "empty.pem", "no certificates in PEM" },
	{ "garbage.pem", "a.key", "garbage.pem", "NUL byte" },
	{ "a.der", "a.key", "a.der", "NUL byte" },
	{ "a.key", "a.key", "a.key", "no certificates in PEM" },
	{ "half.pem", "a.key", "half.pem", "no certificates in PEM" },
	{ "half-chain.pem", "a.key", "half-chain.pem", "not all" },
	{ "zeros.pem", "a.key", "zeros.pem", "NUL byte" },
	{ "broken.pem", "a.key", "broken.pem", "no certificates in PEM" },
	{ "broken-chain.pem", "a.key", "broken-chain.pem", "not all" },
	{ "a.pem", "half.key", "half.key", "not a whole key" },
	{ "a.pem", "empty.pem", "empty.pem", "not a whole key" },
	{ "a.pem", "garbage.pem", "garbage.pem", "not a whole key" },
	{ "a.pem", "a.pem", "a.pem", "not a whole key" },
	{ "a.pem", "secret.key", "secret.key", "password" },
	{ "a.pem", "b.key", "b.key", "another certificate" },
	{ "a.pem", "a-rsa.key", "a-rsa.key", "another certificate" },
	{ "a-rsa.pem", "b-rsa.key", "b-rsa.key", "another certificate" },
	{ "expired.pem", "expired.key", "expired.pem", "has expired" },
	{ "future.pem", "future.key", "future.pem", "not valid yet" },
	{ "ed.pem", "ed.key", "ed.pem", "no certificates in PEM" },
};

static void
bad_pairs_name_file_and_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad_pairs) / sizeof(bad_pairs[0]); i++) {
		const struct bad_pair *bad = &bad_pairs[i];
		struct smtpd_tls *tls = create(NULL);

		assert_string_equal(smtpd_tls_error(tls), "");
		if (add(tls, bad->cert, bad->key) != -1)
			fail_msg("%s and %s were taken", bad->cert, bad->key);
		check_error(tls, certs_at(bad->named), bad->reason);
		assert_int_equal(smtpd_tls_expires_s(tls), 0);
		assert_false(smtpd__tls_context_freeze(tls));

		/* And the context is as good as before. */
		assert_int_equal(add(tls, "a.pem", "a.key"), 0);
		smtpd_tls_unref(tls);
	}
}

static void
a_bad_pair_leaves_the_good_ones(void **state)
{
	struct smtpd_tls *tls = create(NULL);

	(void)state;
	assert_int_equal(add(tls, "a.pem", "a.key"), 0);
	assert_int_equal(add(tls, "b.pem", "a.key"), -1);
	assert_int_equal(add(tls, "b.pem", "b.key"), 0);
	assert_true(smtpd__tls_context_freeze(tls));
	smtpd_tls_unref(tls);
}

static void
an_unreadable_file_says_so(void **state)
{
	struct smtpd_tls *tls = create(NULL);
	bool root = geteuid() == 0;

	(void)state;
	assert_int_equal(chmod(certs_at(""), 0755), 0);
	assert_int_equal(chmod(certs_at("b.key"), 0), 0);
	if (root)
		assert_int_equal(seteuid(65534), 0);
	assert_int_equal(add(tls, "b.pem", "b.key"), -1);
	if (root)
		assert_int_equal(seteuid(0), 0);
	check_error(tls, certs_at("b.key"), "Permission denied");
	assert_int_equal(chmod(certs_at("b.key"), 0600), 0);
	smtpd_tls_unref(tls);
}

/* A FIFO may not hold up a program that reads its files again. */
static void
a_file_that_is_none_is_refused_at_once(void **state)
{
	struct smtpd_tls *tls = create(NULL);

	(void)state;
	assert_int_equal(mkfifo(certs_at("fifo"), 0600), 0);
	assert_int_equal(add(tls, "fifo", "a.key"), -1);
	check_error(tls, certs_at("fifo"), "cannot be read");
	assert_int_equal(truncate(certs_at("empty.pem"), 5 << 20), 0);
	assert_int_equal(add(tls, "empty.pem", "a.key"), -1);
	check_error(tls, certs_at("empty.pem"), "File too large");
	assert_int_equal(truncate(certs_at("empty.pem"), 0), 0);
	smtpd_tls_unref(tls);
}

static void
good_pairs_are_taken(void **state)
{
	static const char *const pairs[][2] = {
		{ "a.pem", "a.key" },
		{ "a-rsa.pem", "a-rsa.key" },
		{ "chain.pem", "a.key" },
		{ "both.pem", "both.pem" },
		{ "wild.pem", "wild.key" },
		{ "cn.pem", "cn.key" },
		{ "nul-name.pem", "nul-name.key" },
		{ "stranger.pem", "stranger.key" },
	};
	struct smtpd_tls *all = create(NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct smtpd_tls *tls = create(NULL);

		assert_int_equal(add(tls, pairs[i][0], pairs[i][1]), 0);
		assert_string_equal(smtpd_tls_error(tls), "");
		assert_int_equal(add(all, pairs[i][0], pairs[i][1]), 0);
		smtpd_tls_unref(tls);
	}
	smtpd_tls_unref(all);
}

struct text {
	char data[16384];
	size_t len;
};

static void
load(struct text *t, const char *name)
{
	FILE *file = fopen(certs_at(name), "rb");

	assert_non_null(file);
	t->len = fread(t->data, 1, sizeof(t->data) - 1, file);
	t->data[t->len] = '\0';
	fclose(file);
}

static void
memory_is_as_good_as_files(void **state)
{
	struct smtpd_tls *tls = create(NULL);
	struct text cert, key;

	(void)state;
	load(&cert, "chain.pem");
	load(&key, "a.key");
	assert_int_equal(
	    smtpd_tls_add_memory(tls, cert.data, cert.len, key.data, key.len),
	    0);
	assert_true(smtpd__tls_context_freeze(tls));
	smtpd_tls_unref(tls);
}

static void
bad_memory_has_a_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad_pairs) / sizeof(bad_pairs[0]); i++) {
		const struct bad_pair *bad = &bad_pairs[i];
		struct smtpd_tls *tls = create(NULL);
		struct text cert, key;

		if (access(certs_at(bad->cert), F_OK) != 0 ||
		    access(certs_at(bad->key), F_OK) != 0 ||
		    strcmp(bad->cert, "db") == 0)
			goto next;
		load(&cert, bad->cert);
		load(&key, bad->key);
		assert_int_equal(smtpd_tls_add_memory(tls, cert.data, cert.len,
				     key.data, key.len),
		    -1);
		check_error(tls, "memory", bad->reason);
	next:
		smtpd_tls_unref(tls);
	}
}

static void
nothing_is_no_certificate(void **state)
{
	struct smtpd_tls *tls = create(NULL);

	(void)state;
	assert_int_equal(smtpd_tls_add_memory(tls, "", 0, "", 0), -1);
	check_error(tls, "memory", "no certificates in PEM");
	smtpd_tls_unref(tls);
}

static bool
takes(const struct text *cert, size_t cert_len, const struct text *key,
    size_t key_len)
{
	struct smtpd_tls *tls = create(NULL);
	int result =
	    smtpd_tls_add_memory(tls, cert->data, cert_len, key->data, key_len);

	smtpd_tls_unref(tls);
	return result == 0;
}

/* Any byte of a chain and a key may be the last that was written. */
static void
no_part_of_a_file_is_a_file(void **state)
{
	static const char end[] = "-----END CERTIFICATE-----";
	struct text cert, key;
	size_t first;

	(void)state;
	load(&cert, "chain.pem");
	load(&key, "a.key");
	first = (size_t)(strstr(cert.data, end) - cert.data) + strlen(end);
	for (size_t len = 0; len <= cert.len; len++) {
		/* The last line end may be missing, and what is cut between
		 * two certificates cannot be told from one. */
		bool whole =
		    len == first || len == first + 1 || len + 1 >= cert.len;

		if (takes(&cert, len, &key, key.len) != whole)
			fail_msg("%zu of %zu bytes", len, cert.len);
	}
	for (size_t len = 0; len + 1 < key.len; len++)
		assert_false(takes(&cert, cert.len, &key, len));
}

struct bad_settings {
	struct smtpd_tls_settings settings;
	const char *named, *reason;
	bool is_file;
};

/* RFC 8446, 4.6.1 */
static void
bad_settings_are_told_with_the_first_pair(void **state)
{
	const struct bad_settings table[] = {
		{ { .clients = SMTPD_TLS_CLIENTS_DEMANDED }, "client_ca_file",
		    "needed", false },
		{ { .clients = SMTPD_TLS_CLIENTS_ASKED,
		      .client_ca_file = "none.pem" },
		    "none.pem", "No such file", true },
		{ { .clients = SMTPD_TLS_CLIENTS_DEMANDED,
		      .client_ca_file = "garbage.pem" },
		    "garbage.pem", "NUL byte", true },
		{ { .clients = SMTPD_TLS_CLIENTS_DEMANDED,
		      .client_ca_file = "half-chain.pem" },
		    "half-chain.pem", "not all", true },
		{ { .clients = (enum smtpd_tls_clients)7 }, "clients",
		    "no such value", false },
		{ { .min_version = (enum smtpd_tls_version)7 }, "min_version",
		    "no such value", false },
		{ { .ticket_lifetime_s = 604801 }, "ticket_lifetime_s",
		    "over 604800", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct smtpd_tls_settings settings = table[i].settings;
		struct smtpd_tls *tls;

		settings.size = sizeof(settings);
		if (settings.client_ca_file != NULL)
			settings.client_ca_file =
			    certs_at(settings.client_ca_file);
		tls = create(&settings);
		assert_int_equal(add(tls, "a.pem", "a.key"), -1);
		check_error(tls,
		    table[i].is_file ? certs_at(table[i].named)
				     : table[i].named,
		    table[i].reason);
		assert_int_equal(add(tls, "a.pem", "a.key"), -1);
		assert_false(smtpd__tls_context_freeze(tls));
		smtpd_tls_unref(tls);
	}
}

static void
settings_without_their_size_are_refused(void **state)
{
	const struct smtpd_tls_settings settings = { .no_tickets = true };

	(void)state;
	errno = 0;
	assert_null(smtpd_tls_create(&settings));
	assert_int_equal(errno, EINVAL);
}

/* A missing name is no crash, and what is in use is not changed. */
static void
misuse_is_refused(void **state)
{
	struct smtpd_tls *tls = create(NULL);

	(void)state;
	assert_int_equal(smtpd_tls_add_files(tls, NULL, NULL), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(smtpd_tls_add_memory(tls, NULL, 0, NULL, 0), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(add(tls, "none.pem", "a.key"), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(add(tls, "a.pem", "a.key"), 0);
	assert_true(smtpd__tls_context_freeze(tls));
	assert_int_equal(add(tls, "a.pem", "a.key"), -1);
	assert_int_equal(errno, EBUSY);
	smtpd_tls_unref(tls);
}

static void
good_settings_are_taken(void **state)
{
	const struct smtpd_tls_settings table[] = {
		{ .min_version = SMTPD_TLS_1_2 },
		{ .clients = SMTPD_TLS_CLIENTS_ASKED },
		{ .clients = SMTPD_TLS_CLIENTS_DEMANDED,
		    .client_ca_file = "ca.pem" },
		{ .no_tickets = true },
		{ .ticket_lifetime_s = 604800 },
		{ .ticket_lifetime_s = 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct smtpd_tls_settings settings = table[i];
		struct smtpd_tls *tls;

		settings.size = sizeof(settings);
		if (settings.client_ca_file != NULL)
			settings.client_ca_file =
			    certs_at(settings.client_ca_file);
		tls = create(&settings);
		assert_int_equal(add(tls, "a.pem", "a.key"), 0);
		smtpd_tls_unref(tls);
	}
}

static void
the_first_to_expire_counts(void **state)
{
	struct smtpd_tls *tls = create(NULL);

	(void)state;
	assert_int_equal(smtpd_tls_expires_s(tls), 0);
	assert_int_equal(add(tls, "a.pem", "a.key"), 0);
	assert_int_equal(smtpd_tls_expires_s(tls), 2208988800);
	assert_int_equal(add(tls, "soon.pem", "soon.key"), 0);
	assert_int_equal(smtpd_tls_expires_s(tls), 2147483648);
	assert_int_equal(add(tls, "b.pem", "b.key"), 0);
	assert_int_equal(smtpd_tls_expires_s(tls), 2147483648);
	smtpd_tls_unref(tls);
}

static void
a_context_in_use_is_not_changed(void **state)
{
	struct smtpd_server *srv = smtpd_server_create(NULL);
	struct smtpd_tls *tls = create(NULL);

	(void)state;
	/* Without a certificate it is not taken, and not frozen. */
	assert_int_equal(smtpd_server_set_tls(srv, tls), -1);
	assert_string_equal(
	    smtpd_server_error(srv), "the TLS context has no certificate");
	assert_int_equal(add(tls, "a.pem", "a.key"), 0);
	assert_int_equal(smtpd_server_set_tls(srv, tls), 0);
	assert_int_equal(add(tls, "b.pem", "b.key"), -1);
	check_error(tls, "certificate", "in use");

	/* A bad one leaves the good one in place. */
	assert_int_equal(smtpd_server_set_tls(srv, NULL), 0);
	assert_int_equal(smtpd_server_set_tls(srv, tls), 0);
	assert_int_equal(smtpd_server_set_listener_tls(srv, 0, tls), -1);
	assert_string_equal(smtpd_server_error(srv), "there is no listener 0");
	smtpd_tls_unref(tls);
	smtpd_server_destroy(srv);
}

static void
the_last_reference_frees(void **state)
{
	struct smtpd_server *one = smtpd_server_create(NULL);
	struct smtpd_server *two = smtpd_server_create(NULL);
	struct smtpd_tls *tls = create(NULL);

	(void)state;
	smtpd_tls_unref(NULL);
	assert_int_equal(add(tls, "a.pem", "a.key"), 0);
	assert_ptr_equal(smtpd_tls_ref(tls), tls);
	smtpd_tls_unref(tls);
	assert_int_equal(smtpd_server_set_tls(one, tls), 0);
	assert_int_equal(smtpd_server_set_tls(two, tls), 0);
	smtpd_tls_unref(tls);
	smtpd_server_destroy(one);
	assert_int_equal(smtpd_server_set_tls(two, tls), 0);
	assert_true(smtpd_tls_expires_s(tls) > 0);
	smtpd_server_destroy(two);
}

/* The keys of tickets live on in the context that took them over. */
static void
tickets_outlive_their_context(void **state)
{
	struct smtpd_tls *old = create(NULL);
	struct smtpd_tls *new;

	(void)state;
	for (int i = 0; i < 3; i++) {
		new = create(&(struct smtpd_tls_settings){
		    SMTPD_TLS_SETTINGS_INIT, .tickets_of = old });
		smtpd_tls_unref(old);
		old = new;
	}
	assert_int_equal(add(old, "a.pem", "a.key"), 0);
	smtpd_tls_unref(old);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_pairs_name_file_and_reason),
		cmocka_unit_test(a_bad_pair_leaves_the_good_ones),
		cmocka_unit_test(an_unreadable_file_says_so),
		cmocka_unit_test(a_file_that_is_none_is_refused_at_once),
		cmocka_unit_test(good_pairs_are_taken),
		cmocka_unit_test(memory_is_as_good_as_files),
		cmocka_unit_test(bad_memory_has_a_reason),
		cmocka_unit_test(nothing_is_no_certificate),
		cmocka_unit_test(no_part_of_a_file_is_a_file),
		cmocka_unit_test(bad_settings_are_told_with_the_first_pair),
		cmocka_unit_test(settings_without_their_size_are_refused),
		cmocka_unit_test(misuse_is_refused),
		cmocka_unit_test(good_settings_are_taken),
		cmocka_unit_test(the_first_to_expire_counts),
		cmocka_unit_test(a_context_in_use_is_not_changed),
		cmocka_unit_test(the_last_reference_frees),
		cmocka_unit_test(tickets_outlive_their_context),
	};

	if (!smtpd_tls_supported())
		return 77;
	return cmocka_run_group_tests(tests, certs_copy, certs_remove);
}
