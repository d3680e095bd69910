/* SPDX-License-Identifier: MIT */
/* Each line of tls_dane.txt: a server of our own shows a chain, and a client is
 * under the policy that the records make. */
#include <mbedtls/version.h>

#include <mbedtls/md.h>
#include <mbedtls/x509_crt.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <smtpd.h>

#include "base/tlsa.h"
#include "certs.h"
#include "client/starttls.h"
#include "client/tls_policy.h"
#include "scripted.h"

#include "test.h"

#define NAMES_MAX 4

struct dane_case {
	char *about, *chain, *records, *names, *result;
};

/* Without blanks at its ends. */
static char *
trim(char *s)
{
	size_t len;

	s += strspn(s, " ");
	len = strlen(s);
	while (len > 0 && s[len - 1] == ' ')
		s[--len] = '\0';
	return s;
}

/* The part of *REST before BREAK. */
static char *
next_part(char **rest, char end)
{
	char *part = *rest, *at = strchr(part, end);

	if (at == NULL)
		fail_msg("no %c in \"%s\"", end, part);
	*at = '\0';
	*rest = at + 1;
	return trim(part);
}

/* Write what SELECTOR says of certificate NAME to OUT; return its length. */
static size_t
read_part(const char *name, int selector, unsigned char *out, size_t size)
{
	char file[64];
	mbedtls_x509_crt c;
	const mbedtls_x509_buf *part;
	size_t len;

	snprintf(file, sizeof(file), "%s.pem", name);
	mbedtls_x509_crt_init(&c);
	if (mbedtls_x509_crt_parse_file(&c, certs_at(file)) != 0)
		fail_msg("no certificate %s", name);
	part = selector == 1 ? &c.pk_raw : &c.raw;
	len = part->len;
	assert_true(len <= size);
	memcpy(out, part->p, len);
	mbedtls_x509_crt_free(&c);
	return len;
}

/* Replace the LEN octets at DATA by what MATCHING type makes of them. */
static size_t
match_type(int matching, unsigned char *data, size_t len)
{
	const mbedtls_md_info_t *md = mbedtls_md_info_from_type(
	    matching == 2 ? MBEDTLS_MD_SHA512 : MBEDTLS_MD_SHA256);
	unsigned char digest[64];

	if (matching == 0)
		return len;
	assert_int_equal(mbedtls_md(md, data, len, digest), 0);
	len = mbedtls_md_get_size(md);
	memcpy(data, digest, len);
	return len;
}

/* "raw 0301", or "raw 030001 key NAME". */
static size_t
write_raw(const char *text, unsigned char *out, size_t size)
{
	char name[32];
	unsigned octet;
	size_t len = 0;

	while (sscanf(text, " %2x", &octet) == 1) {
		out[len++] = (unsigned char)octet;
		text += strspn(text, " ") + 2;
	}
	if (sscanf(text, " key %31s", name) == 1)
		len += match_type(
		    1, out + len, read_part(name, 1, out + len, size - len));
	return len;
}

static size_t
write_record(const char *text, unsigned char *out, size_t size)
{
	char name[32], change[8] = "";
	int kind[3];
	size_t len;

	if (strncmp(text, "raw", 3) == 0)
		return write_raw(text + 3, out, size);
	if (sscanf(text, "%d %d %d %31s %7s", &kind[0], &kind[1], &kind[2],
		name, change) < 4)
		fail_msg("no record: %s", text);
	for (int i = 0; i < 3; i++)
		out[i] = (unsigned char)kind[i];
	len = read_part(name, kind[1], out + 3, size - 4);
	len = 3 + match_type(kind[2], out + 3, len);
	if (strcmp(change, "flip") == 0)
		out[len - 1] ^= 1;
	else if (strcmp(change, "long") == 0)
		out[len++] = 0;
	else if (strcmp(change, "cut") == 0)
		len--;
	return len;
}

static struct smtpd_tlsa_set *
read_records(char *text)
{
	struct smtpd_tlsa_set *set = smtpd__tlsa_create(16384);
	unsigned char record[4096];
	char *rest;

	assert_non_null(set);
	for (char *word = strtok_r(text, ",", &rest); word != NULL;
	    word = strtok_r(NULL, ",", &rest))
		smtpd__tlsa_add(set, record,
		    write_record(trim(word), record, sizeof(record)));
	smtpd__tlsa_finish(set);
	return set;
}

static int
refuse_all(struct smtpd_session *s, const struct smtpd_envelope *envelope,
    struct smtpd_body *body, void *user)
{
	(void)envelope, (void)body, (void)user;
	return smtpd_reply(s, 554, "5.0.0", "nothing is sent here");
}

static struct smtpd_server *
start_server(const char *chain, struct smtpd_target *target, uint16_t *port)
{
	const struct smtpd_settings settings = { SMTPD_SETTINGS_INIT,
		.hostname = "a.example" };
	const struct smtpd_tls_settings old = { SMTPD_TLS_SETTINGS_INIT,
		.any_date = true };
	struct smtpd_tls *tls = smtpd_tls_create(&old);
	struct smtpd_server *server = smtpd_server_create(&settings);
	char cert[64], key[64];

	snprintf(cert, sizeof(cert), "%s.pem", chain);
	snprintf(key, sizeof(key), "%s.key", chain);
	if (smtpd_tls_add_files(tls, certs_at(cert), certs_at(key)) == -1)
		fail_msg("%s: %s", chain, smtpd_tls_error(tls));
	smtpd_server_set_deliver(server, refuse_all, NULL);
	smtpd_server_set_tls(server, tls);
	smtpd_tls_unref(tls);
	assert_int_equal(smtpd_server_listen(server, "127.0.0.1:0", 0), 0);
	assert_int_equal(smtpd_server_start(server), 0);
	*port = (uint16_t)strtoul(
	    strrchr(smtpd_server_address(server, 0), ':') + 1, NULL, 10);
	*target = scripted_target("127.0.0.1", "a.example");
	return server;
}

/* What came of a connection under POLICY, in the words of the file. */
static void
describe_result(const struct smtpd_client *c,
    const struct smtpd_tls_policy *policy, bool connected, char *out,
    size_t size)
{
	const struct smtpd_tls_outcome *v = smtpd__client_starttls_outcome(c);

	if (!connected)
		snprintf(
		    out, size, "%s", smtpd__tls_policy_failure(v->failure));
	else if (v->reached == SMTPD_TLS_REACHED_DANE)
		snprintf(out, size, "dane %.5s", v->record);
	else
		snprintf(out, size, "%s",
		    policy->level == SMTPD_SECURITY_ENCRYPTED ? "encrypted"
							      : "none");
}

/* Connect with the authorities of our own, which must not matter. */
static void
run_case(const struct dane_case *d, struct smtpd_trust *trust)
{
	const struct smtpd_client_settings settings = {
		SMTPD_CLIENT_SETTINGS_INIT, .trust = trust
	};
	struct smtpd_client *c = smtpd_client_create(&settings);
	struct smtpd_tlsa_set *set = read_records(d->records);
	struct smtpd_tls_policy policy = { .reason = "the test" };
	const char *names[NAMES_MAX];
	struct smtpd_target target;
	struct smtpd_server *server;
	char result[64], *rest;
	uint16_t port;
	bool connected;

	for (char *n = strtok_r(d->names, " ", &rest); n != NULL;
	    n = strtok_r(NULL, " ", &rest))
		names[policy.nnames++] = n;
	policy.names = names;
	if (set->count + set->unusable > 0)
		smtpd__tls_policy_demand_dane(&policy, set);
	smtpd__tls_policy_identify(&policy);
	server = start_server(d->chain, &target, &port);
	smtpd__client_starttls_set_policy(c, &policy);
	connected = smtpd_client_connect(c, &target, 1, port) == 0;
	describe_result(c, &policy, connected, result, sizeof(result));
	if (strcmp(result, d->result) != 0)
		fail_msg("%s: %s, not %s (%s)", d->about, result, d->result,
		    smtpd__client_starttls_outcome(c)->reason);
	smtpd_client_destroy(c);
	smtpd_server_destroy(server);
	free(set);
}

static void
each_case_has_its_result(void **state)
{
	char error[256], line[512];
	struct smtpd_trust *trust =
	    smtpd_trust_create(certs_at("ca.pem"), error, sizeof(error));
	FILE *f = fopen(CASES, "r");
	int count = 0;

	(void)state;
	assert_non_null(f);
	assert_non_null(trust);
	while (fgets(line, sizeof(line), f) != NULL) {
		struct dane_case d;
		char *rest = line;

		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#' || line[0] == '\0')
			continue;
		d.about = next_part(&rest, ':');
		d.chain = next_part(&rest, '|');
		d.records = next_part(&rest, '|');
		d.names = next_part(&rest, '|');
		d.result = trim(rest);
		run_case(&d, trust);
		count++;
	}
	fclose(f);
	smtpd_trust_unref(trust);
	assert_true(count > 60);
}

/* Connect under the records of RECORDS.  Return whether an earlier session went
 * on. */
static bool
resumes(struct smtpd_trust *trust, const struct smtpd_target *target,
    uint16_t port, const char *records)
{
	const struct smtpd_client_settings settings = {
		SMTPD_CLIENT_SETTINGS_INIT, .trust = trust
	};
	struct smtpd_client *c = smtpd_client_create(&settings);
	char text[128];
	struct smtpd_tls_policy policy = { .reason = "the test" };
	struct smtpd_tlsa_set *set;
	bool resumed;

	snprintf(text, sizeof(text), "%s", records);
	set = read_records(text);
	smtpd__tls_policy_demand_dane(&policy, set);
	smtpd__tls_policy_identify(&policy);
	smtpd__client_starttls_set_policy(c, &policy);
	assert_int_equal(smtpd_client_connect(c, target, 1, port), 0);
	assert_int_equal(
	    smtpd__client_starttls_outcome(c)->reached, SMTPD_TLS_REACHED_DANE);
	assert_true(smtpd_client_tls(c)->verified);
	resumed = smtpd_client_tls(c)->resumed;
	smtpd_client_quit(c);
	smtpd_client_destroy(c);
	free(set);
	return resumed;
}

static void
a_session_goes_on_under_the_same_records_only(void **state)
{
	char error[256];
	struct smtpd_trust *trust =
	    smtpd_trust_create(certs_at("ca.pem"), error, sizeof(error));
	struct smtpd_target target;
	uint16_t port;
	struct smtpd_server *server = start_server("leaf", &target, &port);

	(void)state;
	assert_false(resumes(trust, &target, port, "3 1 1 leaf"));
	assert_true(resumes(trust, &target, port, "3 1 1 leaf"));
	assert_false(resumes(trust, &target, port, "3 0 1 leaf"));
	assert_false(resumes(trust, &target, port, "3 1 1 leaf, 3 1 1 a"));
	assert_true(resumes(trust, &target, port, "3 1 1 a, 3 1 1 leaf"));
	smtpd_server_destroy(server);
	smtpd_trust_unref(trust);
}

/* A program's own client, by the public interface. */
static void
a_program_demands_what_a_host_does(void **state)
{
	static const struct {
		enum smtpd_security security;
		enum smtpd_dane_demand demand;
		const char *records, *base, *domain, *result;
	} cases[] = {
		{ 0, SMTPD_DANE_RECORDS, "3 1 1 leaf-else", "b.example", NULL,
		    "3 1 1" },
		{ 0, SMTPD_DANE_RECORDS, "3 1 1 a", "b.example", NULL,
		    "4.7.5" },
		{ 0, SMTPD_DANE_RECORDS, "2 1 1 root", "b.example", NULL,
		    "4.7.5" },
		{ 0, SMTPD_DANE_RECORDS, "2 1 1 root", "b.example",
		    "else.example", "2 1 1" },
		{ 0, SMTPD_DANE_RECORDS, "1 1 1 a", "b.example", NULL, "" },
		{ 0, SMTPD_DANE_LATER, "", "", NULL, "4.7.5" },
		{ 0, SMTPD_DANE_NOTHING, "", "", NULL, "" },
		{ SMTPD_SECURITY_ENCRYPTED, SMTPD_DANE_RECORDS, "3 1 1 a",
		    "b.example", NULL, "4.7.5" },
		{ SMTPD_SECURITY_NONE, SMTPD_DANE_RECORDS, "3 1 1 a",
		    "b.example", NULL, "plain" },
	};
	struct smtpd_target target;
	uint16_t port;
	struct smtpd_server *server =
	    start_server("leaf-else-full", &target, &port);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct smtpd_client_settings settings = {
			SMTPD_CLIENT_SETTINGS_INIT,
			.security = cases[i].security
		};
		struct smtpd_client *c = smtpd_client_create(&settings);
		char text[64];
		struct smtpd_tlsa_set *set;
		struct smtpd_dane_answer answer = {
			.demand = cases[i].demand,
			.host = "a.example",
			.base = cases[i].base,
			.reason = "it is bogus",
		};
		const char *result;

		snprintf(text, sizeof(text), "%s", cases[i].records);
		set = read_records(text);
		answer.records = set;
		smtpd_client_set_dane(c, &answer, cases[i].domain);
		if (smtpd_client_connect(c, &target, 1, port) == -1)
			result = smtpd_client_result(c)->status;
		else if (smtpd_client_tls(c) == NULL)
			result = "plain";
		else
			result = smtpd_client_tls(c)->tlsa;
		if (strncmp(result, cases[i].result, 5) != 0)
			fail_msg("%zu: %s", i, result);
		smtpd_client_set_dane(c, NULL, NULL);
		assert_int_equal(smtpd_client_connect(c, &target, 1, port), 0);
		smtpd_client_destroy(c);
		free(set);
	}
	smtpd_server_destroy(server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_case_has_its_result),
		cmocka_unit_test(a_session_goes_on_under_the_same_records_only),
		cmocka_unit_test(a_program_demands_what_a_host_does),
	};

	return cmocka_run_group_tests(tests, certs_copy, certs_remove);
}
