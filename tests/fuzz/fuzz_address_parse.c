/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#include "grammar/address_parse.h"
#include "grammar/idn.h"

static void
must_be_text(const char *s, size_t max)
{
	must(strlen(s) <= max && is_printable_utf8(s, strlen(s)));
}

/* The keys of A are those of its keys. */
static void
must_have_keys(const struct smtpd_address *a)
{
	char local[4 * SMTPD_LOCAL_MAX], domain[2 * SMTPD_DOMAIN_MAX];
	char again[4 * SMTPD_LOCAL_MAX];

	must(smtpd_address_domain_key(a->domain, domain, sizeof(domain)) >= 0);
	must(is_printable(domain, strlen(domain)));
	must(smtpd_address_domain_key(domain, again, sizeof(again)) >= 0 &&
	    strcmp(domain, again) == 0);
	if (smtpd_address_local_key(a->local, local, sizeof(local)) == -1) {
		must(!smtpd__idn_is_available());
		return;
	}
	must(smtpd_address_local_key(local, again, sizeof(again)) >= 0 &&
	    strcmp(local, again) == 0);
}

/* What was parsed gives the same parts when its text is parsed again. */
static void
must_parse_again(const struct smtpd_address *a)
{
	char buf[SMTPD_ADDRESS_MAX];
	struct smtpd_address again;

	must_be_text(a->text, SMTPD_ADDRESS_MAX);
	must_be_text(a->local, SMTPD_LOCAL_MAX);
	must_be_text(a->domain, SMTPD_DOMAIN_MAX);
	if (a->domain[0] == '\0') {
		must(strcmp(a->text, a->local) == 0 && !a->literal);
		return;
	}
	must(smtpd_address_parse(a->text, buf, sizeof(buf), &again) == 0);
	must(strcmp(a->text, again.text) == 0);
	must(strcmp(a->local, again.local) == 0);
	must(strcmp(a->domain, again.domain) == 0);
	must(a->literal == again.literal);
	must(a->literal == (a->domain[0] == '['));
	must_have_keys(a);
}

static bool
is_outside_ascii(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)s[i] >= 128)
			return true;
	}
	return false;
}

static void
try_path(const char *s, size_t len, const struct smtpd_path_rules *rules)
{
	char block[SMTPD_ADDRESS_MAX];
	enum smtpd_path_fault fault;
	struct smtpd_arena arena;
	struct smtpd_address a;
	size_t used;

	smtpd__arena_init(&arena, block, sizeof(block), 0);
	fault = smtpd__address_parse_path(s, len, rules, &arena, &a, &used);
	must(fault != SMTPD_PATH_NO_MEMORY);
	if (fault == SMTPD_PATH_UTF8)
		must(is_outside_ascii(s, len));
	if (fault != SMTPD_PATH_OK)
		return;
	must(used > 0 && used <= len);
	must(rules->bare || (s[0] == '<' && s[used - 1] == '>'));
	must(is_printable_utf8(s, used));
	must_parse_again(&a);
}

static void
try_mailbox(const char *s, size_t len)
{
	char text[SMTPD_ADDRESS_MAX], block[SMTPD_ADDRESS_MAX];
	struct smtpd_address a;

	if (len >= sizeof(text) || memchr(s, '\0', len) != NULL)
		return;
	memcpy(text, s, len);
	text[len] = '\0';
	if (smtpd_address_parse(text, block, sizeof(block), &a) == -1) {
		must(errno == EINVAL);
		return;
	}
	must_parse_again(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *s = (const char *)data;

	for (int kind = 0; kind < 2; kind++) {
		struct smtpd_path_rules rules = {
			.kind = (enum smtpd_path_kind)kind,
		};

		try_path(s, size, &rules);
		rules.bare = true;
		rules.domain = "mx.example.org";
		try_path(s, size, &rules);
	}
	try_mailbox(s, size);
	if (smtpd__address_parse_helo(s, size)) {
		must(size > 0 && size <= SMTPD_DOMAIN_MAX);
		must(is_printable(s, size) && memchr(s, ' ', size) == NULL);
	}
	return 0;
}
