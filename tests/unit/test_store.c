/* SPDX-License-Identifier: MIT */
/* smtpin's delivery behind a filter. */
/* For nftw(). */
#define _XOPEN_SOURCE 700
#include "store.h"

#include <smtpd.h>

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "delivery.h"
#include "peer.h"

#include "test.h"

struct place {
	char root[64], pattern[96];
	struct log *log;
	struct delivery d;
	struct smtpd_server *srv;
	struct peer p;
};

static int
remove_first(struct smtpd_session *s, struct smtpd_body *body, void *user)
{
	(void)body;
	(void)user;
	return smtpd_session_remove_rcpt(s, 0) == 0 ? 0 : 451;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* Read the map: a and b are users, both are two of them. */
static struct users *
load_map(const char *root)
{
	char path[96], why[256];
	struct users *users;
	int status;
	FILE *f;

	snprintf(path, sizeof(path), "%s/map", root);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("a : a@example.org, postmaster@example.org\n"
	      "b : b@example.org\n"
	      "both@example.org -> a, b\n",
	    f);
	assert_int_equal(fclose(f), 0);
	users = users_load(path, &status, why, sizeof(why));
	assert_non_null(users);
	return users;
}

static int
setup(void **state)
{
	const struct smtpd_filter filter = {
		SMTPD_FILTER_INIT,
		.end = remove_first,
	};
	const struct smtpd_settings settings = {
		SMTPD_SETTINGS_INIT,
		.hostname = "mx.example.org",
	};
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	snprintf(p->root, sizeof(p->root), "/tmp/test_store.XXXXXX");
	assert_non_null(mkdtemp(p->root));
	snprintf(p->pattern, sizeof(p->pattern), "%s/%%u", p->root);
	p->log = log_create(0);
	assert_non_null(p->log);
	delivery_init(&p->d, settings.hostname, p->log);
	assert_null(mailbox_parse(p->pattern, &p->d.pattern));
	users_current_set(&p->d.users, load_map(p->root));
	assert_int_equal(delivery_open(&p->d), 0);

	p->srv = smtpd_server_create(&settings);
	assert_non_null(p->srv);
	assert_int_equal(smtpd_server_add_filter(p->srv, &filter), 0);
	assert_int_equal(delivery_register(&p->d, p->srv), 0);
	assert_int_equal(smtpd_server_listen(p->srv, "127.0.0.1:0", 0), 0);
	assert_int_equal(smtpd_server_start(p->srv), 0);
	assert_true(peer_get_in(&p->p, smtpd_server_address(p->srv, 0), NULL));
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	struct place *p = *state;

	peer_close(&p->p);
	smtpd_server_destroy(p->srv);
	delivery_finish(&p->d);
	log_destroy(p->log);
	nftw(p->root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(p);
	return 0;
}

/* The messages that USER has. */
static int
count_messages(const struct place *p, const char *user)
{
	const struct dirent *entry;
	char path[128];
	int count = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%s/new", p->root, user);
	dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

/* Send a message to FIRST and then to SECOND. */
static void
send_to(struct place *p, const char *first, const char *second)
{
	char line[64];

	assert_int_equal(peer_say(&p->p, "MAIL FROM:<>"), 250);
	snprintf(line, sizeof(line), "RCPT TO:<%s@example.org>", first);
	assert_int_equal(peer_say(&p->p, line), 250);
	snprintf(line, sizeof(line), "RCPT TO:<%s@example.org>", second);
	assert_int_equal(peer_say(&p->p, line), 250);
	assert_int_equal(peer_say(&p->p, "DATA"), 354);
	assert_int_equal(peer_say(&p->p, "Subject: x\r\n\r\ny\r\n."), 250);
}

/* filter.h: nothing is delivered to a recipient that is removed. */
static void
who_is_removed_gets_nothing(void **state)
{
	struct place *p = *state;

	send_to(p, "a", "b");
	assert_int_equal(count_messages(p, "a"), 0);
	assert_int_equal(count_messages(p, "b"), 1);
}

/* A mailbox that another recipient has too gets its copy. */
static void
who_shares_a_mailbox_gets_it(void **state)
{
	struct place *p = *state;

	send_to(p, "a", "both");
	assert_int_equal(count_messages(p, "a"), 1);
	assert_int_equal(count_messages(p, "b"), 1);
	send_to(p, "both", "b");
	assert_int_equal(count_messages(p, "a"), 1);
	assert_int_equal(count_messages(p, "b"), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    who_is_removed_gets_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    who_shares_a_mailbox_gets_it, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
