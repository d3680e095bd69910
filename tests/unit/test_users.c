/* SPDX-License-Identifier: MIT */
#include "users.h"
#include "users_alias.h"
#include "users_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "test.h"

/* A file for one map. */
struct place {
	char path[64];
};

static int
setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	int fd;

	assert_non_null(p);
	snprintf(p->path, sizeof(p->path), "/tmp/test_users.XXXXXX");
	fd = mkstemp(p->path);
	assert_true(fd >= 0);
	close(fd);
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	struct place *p = *state;

	unlink(p->path);
	free(p);
	return 0;
}

/* Read the LEN bytes at TEXT as a map. */
static struct users *
load_bytes(struct place *p, const char *text, size_t len, int *status,
    char *why, size_t size)
{
	FILE *file = fopen(p->path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
	why[0] = '\0';
	return users_load(p->path, status, why, size);
}

static struct users *
load(struct place *p, const char *text)
{
	char why[256];
	int status;
	struct users *users =
	    load_bytes(p, text, strlen(text), &status, why, sizeof(why));

	if (users == NULL)
		fail_msg("%s", why);
	return users;
}

static enum users_result
find_all(const struct users *users, const char *text, struct owners *owners)
{
	char buf[SMTPD_ADDRESS_MAX];
	struct smtpd_address address;

	/* <postmaster> is an address in RCPT alone. */
	if (strchr(text, '@') == NULL)
		address = (struct smtpd_address){ text, text, "", false };
	else
		assert_int_equal(
		    smtpd_address_parse(text, buf, sizeof(buf), &address), 0);
	return users_find(users, &address, "mx.example.org", owners);
}

/* As above, for an address that one user has. */
static enum users_result
find(const struct users *users, const char *text, struct owner *owner)
{
	struct owners owners;
	enum users_result result = find_all(users, text, &owners);

	if (result == USERS_FOUND) {
		assert_int_equal(owners.count, 1);
		*owner = users_owner(&owners, 0);
	}
	return result;
}

static const char map[] =
    "# users\n"
    "\n"
    "  \t\r\n"
    "ann : ann@example.org, Ann.Lee@Example.ORG\n"
    "bob:bob@example.org   bob@example.net\t@example.net\n"
    "\tbob : b%c@example.org # he asked for it\r\n"
    "carl : carl+work@example.org carl@example.org\n"
    "   # more\n"
    "d-e_f.9 : \"john doe\"@example.com, \"a,b\"@example.com "
    "postmaster@example.com\n"
    "lit : x@[192.0.2.1]";

/* RFC 5321, 3.9.1 */
static void
test_find(void **state)
{
	static const struct {
		const char *address;
		enum users_result result;
		const char *user;
		const char *domain;
	} cases[] = {
		{ "ann@example.org", USERS_FOUND, "ann", "example.org" },
		{ "ANN@EXAMPLE.org", USERS_FOUND, "ann", "example.org" },
		{ "ann.lee@example.org", USERS_FOUND, "ann", "example.org" },
		{ "\"ann\"@example.org", USERS_FOUND, "ann", "example.org" },
		{ "ann+x@example.org", USERS_FOUND, "ann", "example.org" },
		{ "ann+x+y@example.org", USERS_FOUND, "ann", "example.org" },
		{ "ann+@example.org", USERS_FOUND, "ann", "example.org" },
		{ "+ann@example.org", USERS_UNKNOWN, NULL, NULL },
		{ "carl+work@example.org", USERS_FOUND, "carl", "example.org" },
		{ "carl+home@example.org", USERS_FOUND, "carl", "example.org" },
		{ "none@example.org", USERS_UNKNOWN, NULL, NULL },
		{ "none+bob@example.org", USERS_UNKNOWN, NULL, NULL },
		{ "bob@example.net", USERS_FOUND, "bob", "example.net" },
		{ "any@example.net", USERS_FOUND, "bob", "example.net" },
		{ "any+tag@example.net", USERS_FOUND, "bob", "example.net" },
		{ "ann@example.net", USERS_FOUND, "bob", "example.net" },
		{ "ann@sub.example.net", USERS_FOREIGN, NULL, NULL },
		{ "ann@elsewhere.example", USERS_FOREIGN, NULL, NULL },
		{ "a%b@elsewhere.example", USERS_FOREIGN, NULL, NULL },
		{ "a%b@example.org", USERS_RELAY, NULL, NULL },
		{ "a!b@example.org", USERS_RELAY, NULL, NULL },
		{ "\"a@b\"@example.org", USERS_RELAY, NULL, NULL },
		{ "\"a@example.org\"@example.org", USERS_RELAY, NULL, NULL },
		{ "ann+%x@example.org", USERS_RELAY, NULL, NULL },
		{ "a%b@example.net", USERS_RELAY, NULL, NULL },
		{ "b%c@example.org", USERS_FOUND, "bob", "example.org" },
		{ "\"\"@example.net", USERS_FOUND, "bob", "example.net" },
		{ "\"\"@example.org", USERS_UNKNOWN, NULL, NULL },
		{ "\":ann\"@example.org", USERS_UNKNOWN, NULL, NULL },
		{ "\"john doe\"@example.com", USERS_FOUND, "d-e_f.9",
		    "example.com" },
		{ "\"John\\ Doe\"@example.com", USERS_FOUND, "d-e_f.9",
		    "example.com" },
		{ "\"a,b\"@example.com", USERS_FOUND, "d-e_f.9",
		    "example.com" },
		{ "x@[192.0.2.1]", USERS_FOUND, "lit", "[192.0.2.1]" },
		{ "postmaster@example.com", USERS_FOUND, "d-e_f.9",
		    "example.com" },
		{ "Postmaster@example.org", USERS_FOUND, "ann", "example.org" },
		{ "postmaster@example.net", USERS_FOUND, "bob", "example.net" },
		{ "postmaster@elsewhere.example", USERS_FOREIGN, NULL, NULL },
		{ "postmaster", USERS_FOUND, "ann", "example.org" },
		{ "POSTmaster", USERS_FOUND, "ann", "example.org" },
	};
	struct users *users = load(*state, map);

	assert_int_equal(users_count(users), 12);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct owner owner;
		enum users_result result =
		    find(users, cases[i].address, &owner);

		if (result != cases[i].result)
			fail_msg("%s gave %d", cases[i].address, (int)result);
		if (result != USERS_FOUND)
			continue;
		assert_string_equal(owner.user, cases[i].user);
		assert_string_equal(owner.domain, cases[i].domain);
	}
	users_release(users);
}

/* RFC 5321, 4.5.1 */
static void
test_bare_postmaster(void **state)
{
	static const struct {
		const char *home;
		const char *user;
	} cases[] = {
		{ "two.example", "b" },
		{ "TWO.example", "b" },
		{ "mx.two.example", "b" },
		{ "mx.three.example", "c" },
		{ "a.mx.three.example", "a" },
		{ "elsewhere.example", "a" },
		{ "localhost", "a" },
		{ "a", "a" },
	};
	struct users *users = load(*state,
	    "a : x@one.example\nb : postmaster@two.example\n"
	    "c : c@three.example\n");
	struct smtpd_address address = { "postmaster", "postmaster", "",
		false };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct owners owners;

		assert_int_equal(
		    users_find(users, &address, cases[i].home, &owners),
		    USERS_FOUND);
		assert_int_equal(owners.count, 1);
		assert_string_equal(
		    users_owner(&owners, 0).user, cases[i].user);
	}
	users_release(users);
}

/* Write the owners of the mailboxes of TEXT, "ann@domain bob@domain", to BUF of
 * SIZE bytes. */
static void
write_owners(
    const struct users *users, const char *text, char *buf, size_t size)
{
	struct owners owners;
	size_t len = 0;

	buf[0] = '\0';
	if (find_all(users, text, &owners) != USERS_FOUND)
		return;
	for (size_t i = 0; i < owners.count; i++) {
		struct owner owner = users_owner(&owners, i);

		len += (size_t)snprintf(buf + len, size - len, "%s%s@%s",
		    i > 0 ? " " : "", owner.user, owner.domain);
		assert_true(len < size);
	}
}

static void
test_aliases(void **state)
{
	static const char lines[] =
	    "team@one.example -> ann, bob # -> carl\n"
	    "ann : ann@one.example \"x->y\"@one.example # -> bob\n"
	    "bob : bob@one.example, bob@two.example\n"
	    "all@two.example->team@one.example carl, ann@one.example\n"
	    "carl :\n"
	    "Carl@One.example -> carl\n"
	    "carl@one.example -> BOB@two.example\n"
	    "@three.example -> bob+list@two.example, x@four.example\n"
	    "dave : @four.example\n"
	    "\"a -> b\"@two.example -> \"x->y\"@one.example\n"
	    "x@[IPv6:2001:db8::1] -> carl\n";
	static const struct {
		const char *address;
		const char *owners;
	} cases[] = {
		{ "team@one.example", "ann@one.example bob@one.example" },
		{ "TEAM+x@one.example", "ann@one.example bob@one.example" },
		{ "ann@one.example", "ann@one.example" },
		{ "\"x->y\"@one.example", "ann@one.example" },
		{ "all@two.example",
		    "ann@one.example bob@one.example carl@two.example" },
		{ "carl@one.example", "bob@two.example carl@one.example" },
		{ "any@three.example", "bob@two.example dave@four.example" },
		{ "postmaster@three.example",
		    "bob@two.example dave@four.example" },
		{ "postmaster@one.example", "ann@one.example" },
		{ "\"a -> b\"@two.example", "ann@one.example" },
		{ "x@[IPv6:2001:db8::1]", "carl@[ipv6:2001:db8::1]" },
		{ "nobody@one.example", "" },
	};
	struct users *users = load(*state, lines);

	assert_int_equal(users_count(users), 11);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char buf[256];

		write_owners(users, cases[i].address, buf, sizeof(buf));
		assert_string_equal(buf, cases[i].owners);
	}
	users_release(users);
}

/* The postmaster of a domain that has aliases alone. */
static void
test_alias_as_postmaster(void **state)
{
	struct users *users = load(*state,
	    "ann : ann@one.example\nbob : bob@one.example\n"
	    "info@two.example -> ann, bob\n"
	    "sales@two.example -> ann\n");
	struct owner owner;
	size_t at = 0;
	char buf[256];

	write_owners(users, "postmaster@two.example", buf, sizeof(buf));
	assert_string_equal(buf, "ann@two.example bob@two.example");
	while (users_next_orphan(users, &at, &owner))
		assert_string_equal(owner.user, "ann");
	users_release(users);
}

/* Read a map with an alias that leads to a user over COUNT others. */
static struct users *
load_row(struct place *p, int count, char *why, size_t size)
{
	char text[16384] = "a : a@b.c\n";
	size_t len = strlen(text);
	int status;

	for (int i = 0; i < count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "a%d@b.c -> a%d@b.c\n", i, i + 1);
	len += (size_t)snprintf(
	    text + len, sizeof(text) - len, "a%d@b.c -> a\n", count);
	return load_bytes(p, text, len, &status, why, size);
}

static void
test_aliases_in_a_row(void **state)
{
	char why[256];
	struct users *users =
	    load_row(*state, USERS_ALIAS_DEPTH - 1, why, sizeof(why));

	assert_non_null(users);
	users_release(users);
	assert_null(load_row(*state, USERS_ALIAS_DEPTH, why, sizeof(why)));
	assert_non_null(strstr(why, ":101: more than 100 aliases lead here"));
}

/* Write a map with an address of COUNT users, and read it. */
static struct users *
load_crowd(struct place *p, int count, char *why, size_t size)
{
	FILE *file = fopen(p->path, "w");
	int status;

	assert_non_null(file);
	for (int i = 0; i < count; i++)
		fprintf(file, "u%d :\nall@b.c -> u%d\n", i, i);
	assert_int_equal(fclose(file), 0);
	return users_load(p->path, &status, why, size);
}

static void
test_aliases_to_many(void **state)
{
	char why[256];
	struct users *users =
	    load_crowd(*state, USERS_ALIAS_MAX, why, sizeof(why));
	struct owners owners;

	assert_non_null(users);
	assert_int_equal(find_all(users, "all@b.c", &owners), USERS_FOUND);
	assert_int_equal(owners.count, USERS_ALIAS_MAX);
	users_release(users);
	assert_null(load_crowd(*state, USERS_ALIAS_MAX + 1, why, sizeof(why)));
	assert_non_null(strstr(why, "has more than 1000 mailboxes"));
}

static void
test_quota(void **state)
{
	static const struct {
		const char *address;
		uint64_t quota;
	} cases[] = {
		{ "a@b.c", 1073741824 },
		{ "b@b.c", 0 },
		{ "c@b.c", USERS_QUOTA_OPEN },
		{ "d@b.c", 2097152 },
		{ "e@b.c", 5 },
	};
	struct users *users = load(*state,
	    "a quota=1G : a@b.c\na quota=1024M : a2@b.c\na : a3@b.c\n"
	    "b\tquota=0 : b@b.c\nc : c@b.c\nd  quota=2048K  :d@b.c\n"
	    "e quota=5: e@b.c");
	struct owner owner;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
		    find(users, cases[i].address, &owner), USERS_FOUND);
		assert_true(owner.quota == cases[i].quota);
	}
	users_release(users);
}

static void
test_bad_lines(void **state)
{
	static const struct {
		const char *text;
		const char *why; /* behind the file's name */
	} cases[] = {
		{ "a : a@b.c\nnonsense\n", ":2: no \":\"" },
		{ "a : b\n", ":1: not an address: \"b\"" },
		{ "a : a@b.c x@\n", ":1: not an address: \"x@\"" },
		{ "a : @\n", ":1: not an address: \"@\"" },
		{ "a : \"\"@b.c\n", ":1: not an address: \"\"\"@b.c\"" },
		{ "a : <a@b.c>\n", ":1: not an address" },
		{ "a : \"a b@c.d\n", ":1: not an address" },
		{ "a : a@[x:/..]\n", ":1: not an address" },
		{ "a :\n", ":1: no address for the user: \"a\"" },
		{ "a : # a@b.c\n", ":1: no address for the user: \"a\"" },
		{ ": a@b.c\n", ":1: a user is" },
		{ "a b : a@b.c\n",
		    ":1: unknown word after the user, where only "
		    "\"quota=SIZE\" may be: \"b\"" },
		{ "a qouta=2K : a@b.c\n",
		    ":1: unknown word after the user, where only "
		    "\"quota=SIZE\" may be: \"qouta=2K\"" },
		{ "team@b.c : a, b\n",
		    ":1: an address before \":\"; for an alias write "
		    "\"address -> user, user\": \"team@b.c\"" },
		{ ".a : a@b.c\n", ":1: a user is" },
		{ "-a : a@b.c\n", ":1: a user is" },
		{ "../a : a@b.c\n", ":1: a user is" },
		{ "a/b : a@b.c\n", ":1: a user is" },
		{ "\xc3\xa4 : a@b.c\n", ":1: a user is" },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		  "aaaaa : a@b.c\n",
		    ":1: a user is" },
		{ "a : a@b.c\n#\nb : A@B.C\n",
		    ":3: the address has another user already; for" },
		{ "a : @b.c\nb : @b.c\n",
		    ":2: the address has another user already; for" },
		{ "a : a@b.c\nb : a@b.c\n",
		    ":2: the address has another user already; for several "
		    "write \"address -> user, user\": \"a@b.c\"" },
		{ "a : a@b.c\nA@b.c -> a\n",
		    ":2: the address has another user already: \"A@b.c\"" },
		{ "a@b.c -> a\na : A@b.c\n",
		    ":2: the address has another user already" },
		{ "-> a\n", ":1: no address before \"->\"" },
		{ "a -> b\n", ":1: not an address: \"a\"" },
		{ "a@b.c d@b.c -> b\n",
		    ":1: a second address before \"->\": \"d@b.c\"" },
		{ "a@b.c ->\n", ":1: nobody behind \"->\": \"a@b.c\"" },
		{ "a@b.c -> # a\n", ":1: nobody behind \"->\": \"a@b.c\"" },
		{ "a@b.c -> a/b\n", ":1: a user is" },
		{ "a@b.c -> x@\n", ":1: not an address: \"x@\"" },
		{ "a@b.c -> @d.e\n",
		    ":1: an alias leads to no whole domain: \"@d.e\"" },
		{ "x : x@b.c\n\na@b.c -> x, y\n",
		    ":3: no such user in the map: \"y\"" },
		{ "x : x@b.c\na@b.c -> y@b.c\n",
		    ":2: no such address in the map: \"y@b.c\"" },
		{ "x : x@b.c\na@b.c -> postmaster@b.c\n",
		    ":2: no such address in the map: \"postmaster@b.c\"" },
		{ "x : x@b.c\na@b.c -> a@b.c\n",
		    ":2: the alias leads back to itself: \"a@b.c\"" },
		{ "x : x@b.c\n@b.c -> a@b.c\n",
		    ":2: the alias leads back to itself: \"a@b.c\"" },
		{ "x : x@b.c\na@b.c -> x, b@b.c\nb@b.c -> c@b.c\n"
		  "c@b.c -> A+t@b.c\n",
		    ":4: the alias leads back to itself: \"a+t@b.c\"" },
		{ "a quota=x : a@b.c\n",
		    ":1: a quota is a number of bytes, or one with K, M or G: "
		    "\"x\"" },
		{ "a quota= : a@b.c\n", ":1: a quota is" },
		{ "a quota=-1 : a@b.c\n", ":1: a quota is" },
		{ "a quota=99999999999G : a@b.c\n", ":1: a quota is" },
		{ "a quota=1G b : a@b.c\n",
		    ":1: unknown word after the user, where only "
		    "\"quota=SIZE\" may be: \"b\"" },
		{ "a quota=1G quota=1G : a@b.c\n",
		    ":1: the user has a quota already: \"quota=1G\"" },
		{ "aquota=1G : a@b.c\n", ":1: a user is" },
		{ "quota=1G : a@b.c\n", ":1: a user is" },
		{ "a quota=1 : a@b.c\na quota=2 : d@b.c\n",
		    ":2: the user has another quota already: \"a\"" },
		{ "", ": the map is empty" },
		{ "# nobody\n", ": the map is empty" },
	};
	struct place *p = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char why[256];
		int status;

		assert_null(load_bytes(p, cases[i].text, strlen(cases[i].text),
		    &status, why, sizeof(why)));
		assert_int_equal(status, EX_CONFIG);
		assert_memory_equal(why, p->path, strlen(p->path));
		if (strncmp(why + strlen(p->path), cases[i].why,
			strlen(cases[i].why)) != 0)
			fail_msg("case %zu: %s", i, why);
	}
}

static void
test_nul(void **state)
{
	struct place *p = *state;
	char why[256];
	int status;

	assert_null(load_bytes(
	    p, "a : a@b.c\na\0 : b@b.c\n", 21, &status, why, sizeof(why)));
	assert_int_equal(status, EX_CONFIG);
	assert_non_null(strstr(why, ":2: a NUL byte"));
}

/* A line of LEN bytes: an address, and blanks behind it. */
static int
load_line(struct place *p, size_t len)
{
	char line[USERS_LINE_MAX + 3], why[256];
	struct users *users;
	int status;

	memset(line, ' ', sizeof(line));
	memcpy(line, "a : a@b.c", 9);
	line[len] = '\n';
	users = load_bytes(p, line, len + 1, &status, why, sizeof(why));
	users_release(users);
	return status;
}

static void
test_long_line(void **state)
{
	assert_int_equal(load_line(*state, USERS_LINE_MAX), 0);
	assert_int_equal(load_line(*state, USERS_LINE_MAX + 1), EX_CONFIG);
}

static void
test_long_name(void **state)
{
	struct users *users = load(*state,
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    " : a@b.c\n");

	users_release(users);
}

static void
test_same_again(void **state)
{
	struct users *users = load(*state, "a : a@b.c a@b.c\na : A@b.c\n");
	struct owner owner;

	assert_int_equal(find(users, "a@b.c", &owner), USERS_FOUND);
	users_release(users);
}

static void
test_unreadable(void **state)
{
	char why[256];
	int status;

	(void)state;
	assert_null(users_load("/nonexistent", &status, why, sizeof(why)));
	assert_int_equal(status, EX_NOINPUT);
	assert_non_null(strstr(why, "/nonexistent: No such file"));
	assert_null(users_load("/tmp", &status, why, sizeof(why)));
	assert_int_equal(status, EX_NOINPUT);
}

/* RFC 5321, 4.5.1 */
static void
test_orphans(void **state)
{
	struct users *users = load(*state,
	    "a : a@one.example postmaster@one.example\n"
	    "b : b@two.example @two.example\n"
	    "c : c@three.example\nd : d@three.example\n");
	struct owner owner;
	size_t at = 0;

	assert_true(users_next_orphan(users, &at, &owner));
	assert_string_equal(owner.domain, "three.example");
	assert_string_equal(owner.user, "c");
	assert_false(users_next_orphan(users, &at, &owner));
	users_release(users);
}

/* How many mailboxes users_next() names. */
static int
count(const struct users *users, bool by_domain)
{
	struct users_round at = { 0 };
	struct owner owner;
	int n = 0;

	while (users_next(users, &at, by_domain, &owner)) {
		assert_true(*owner.user != '\0');
		assert_int_equal(*owner.domain != '\0', by_domain);
		n++;
	}
	return n;
}

static void
test_next(void **state)
{
	struct users *users = load(*state,
	    "a : a@one.example a@two.example \":a\"@one.example\n"
	    "b : @one.example\n");

	assert_int_equal(count(users, false), 2);
	assert_int_equal(count(users, true), 4);
	users_release(users);
	users = load(*state,
	    "a : a@one.example\nb : b@one.example\n"
	    "c@two.example -> a, b, a@one.example\n");
	assert_int_equal(count(users, false), 2);
	assert_int_equal(count(users, true), 5);
	users_release(users);
}

#define MANY 100000

static void
test_many(void **state)
{
	struct place *p = *state;
	FILE *file = fopen(p->path, "w");
	struct users *users;
	char why[256];
	int status;

	assert_non_null(file);
	for (int i = 0; i < MANY; i++)
		fprintf(file, "user%d : name%d@d%d.example\n", i, i, i % 100);
	assert_int_equal(fclose(file), 0);
	users = users_load(p->path, &status, why, sizeof(why));
	assert_non_null(users);
	assert_int_equal(users_count(users), MANY);
	for (int i = 0; i < MANY; i++) {
		char address[64], name[64];
		struct owner owner;

		snprintf(
		    address, sizeof(address), "NAME%d@d%d.example", i, i % 100);
		snprintf(name, sizeof(name), "user%d", i);
		assert_int_equal(find(users, address, &owner), USERS_FOUND);
		assert_string_equal(owner.user, name);
	}
	users_release(users);
}

/* Look an address up in whatever map is valid, again and again. */
static void *
look_up_often(void *arg)
{
	struct users_current *current = arg;

	for (int i = 0; i < 20000; i++) {
		struct users *users = users_current_get(current);
		struct owner owner;

		if (find(users, "a@b.c", &owner) != USERS_FOUND)
			return current;
		users_release(users);
	}
	return NULL;
}

static void
test_replaced_while_used(void **state)
{
	struct users_current current;
	pthread_t threads[4];
	struct users *held;
	struct owner owner;

	users_current_init(&current);
	users_current_set(&current, load(*state, "first : a@b.c\n"));
	held = users_current_get(&current);
	for (int i = 0; i < 4; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, look_up_often, &current),
		    0);
	for (int i = 0; i < 200; i++)
		users_current_set(&current, load(*state, "later : a@b.c\n"));
	for (int i = 0; i < 4; i++) {
		void *failed;

		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	assert_int_equal(find(held, "a@b.c", &owner), USERS_FOUND);
	assert_string_equal(owner.user, "first");
	users_release(held);
	users_current_finish(&current);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_find),
		CASE(test_bare_postmaster),
		CASE(test_aliases),
		CASE(test_alias_as_postmaster),
		CASE(test_aliases_in_a_row),
		CASE(test_aliases_to_many),
		CASE(test_quota),
		CASE(test_bad_lines),
		CASE(test_nul),
		CASE(test_long_line),
		CASE(test_long_name),
		CASE(test_same_again),
		CASE(test_unreadable),
		CASE(test_orphans),
		CASE(test_next),
		CASE(test_many),
		CASE(test_replaced_while_used),
	};
#undef CASE

	return cmocka_run_group_tests(tests, NULL, NULL);
}
