/* SPDX-License-Identifier: MIT */
#include "users.h"
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
find(const struct users *users, const char *text, struct owner *owner)
{
	char buf[SMTPD_ADDRESS_MAX];
	struct smtpd_address address;

	/* <postmaster> is an address in RCPT alone. */
	if (strchr(text, '@') == NULL)
		address = (struct smtpd_address){ text, text, "", false };
	else
		assert_int_equal(
		    smtpd_address_parse(text, buf, sizeof(buf), &address), 0);
	return users_find(users, &address, "mx.example.org", owner);
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
		struct owner owner = { NULL, NULL };
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
		struct owner owner;

		assert_int_equal(
		    users_find(users, &address, cases[i].home, &owner),
		    USERS_FOUND);
		assert_string_equal(owner.user, cases[i].user);
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
		{ "a b : a@b.c\n", ":1: a user is" },
		{ ".a : a@b.c\n", ":1: a user is" },
		{ "-a : a@b.c\n", ":1: a user is" },
		{ "../a : a@b.c\n", ":1: a user is" },
		{ "a/b : a@b.c\n", ":1: a user is" },
		{ "\xc3\xa4 : a@b.c\n", ":1: a user is" },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		  "aaaaa : a@b.c\n",
		    ":1: a user is" },
		{ "a : a@b.c\n#\nb : A@B.C\n",
		    ":3: the address has another user already: \"A@B.C\"" },
		{ "a : @b.c\nb : @b.c\n",
		    ":2: the address has another user already: \"@b.c\"" },
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
	struct owner owner;
	size_t at = 0;
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
