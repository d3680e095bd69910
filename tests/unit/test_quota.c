/* SPDX-License-Identifier: MIT */
/* For nftw(). */
#define _XOPEN_SOURCE 700
#include "quota.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <smtpd/maildir.h>

#include "test.h"

/* The clock that the module sees, in milliseconds. */
static int64_t clock_ms;

int
clock_gettime(clockid_t id, struct timespec *out)
{
	(void)id;
	out->tv_sec = clock_ms / 1000;
	out->tv_nsec = clock_ms % 1000 * 1000000;
	return 0;
}

struct place {
	struct quotas *quotas;
	struct quota *q; /* of the Maildir */
	char path[64];
};

static int
setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	clock_ms = 1000000;
	snprintf(p->path, sizeof(p->path), "/tmp/test_quota.XXXXXX");
	assert_non_null(mkdtemp(p->path));
	assert_int_equal(smtpd_maildir_make(p->path, strlen(p->path)), 0);
	p->quotas = quotas_create();
	assert_non_null(p->quotas);
	p->q = quotas_find(p->quotas, p->path, strlen(p->path));
	assert_non_null(p->q);
	*state = p;
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int
teardown(void **state)
{
	struct place *p = *state;

	quotas_destroy(p->quotas);
	nftw(p->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(p);
	return 0;
}

/* Add a message of SIZE octets, as others do, or remove it. */
static void
set_message(const struct place *p, int size, bool there)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/cur/1.x,S=%d:2,S", p->path, size);
	if (there)
		assert_int_equal(
		    close(open(path, O_WRONLY | O_CREAT | O_EXCL, 0600)), 0);
	else
		assert_int_equal(unlink(path), 0);
}

/* A message of SIZE octets for a mailbox that may have LIMIT. */
static struct quota_request
message_of(uint64_t limit, uint64_t size)
{
	return (struct quota_request){
		.limit = limit,
		.size = size,
		.peer = "192.0.2.1",
		.sender = "a@example.com",
	};
}

static int
check_in(struct quota *q, uint64_t limit, uint64_t size)
{
	struct quota_request r = message_of(limit, size);

	return quota_check(q, &r) == 0 ? 0 : errno;
}

/* What quota_check() says of SIZE octets in 1000: 0, or errno. */
static int
check(const struct place *p, uint64_t size)
{
	return check_in(p->q, 1000, size);
}

/* The same without a size, from PEER and SENDER. */
static int
check_from(const struct place *p, const char *peer, const char *sender)
{
	struct quota_request r = message_of(1000, 0);

	r.peer = peer;
	r.sender = sender;
	return quota_check(p->q, &r) == 0 ? 0 : errno;
}

static int
reserve(const struct place *p, uint64_t size)
{
	struct quota_request r = message_of(1000, size);

	return quota_reserve(p->q, &r) == 0 ? 0 : errno;
}

static void
remember(const struct place *p, uint64_t size)
{
	struct quota_request r = message_of(1000, size);

	quota_remember(p->q, &r);
}

static void
test_same_mailbox(void **state)
{
	struct place *p = *state;
	struct quota *other = quotas_find(p->quotas, "/other", 1);

	assert_ptr_equal(
	    quotas_find(p->quotas, p->path, strlen(p->path)), p->q);
	assert_non_null(other);
	assert_ptr_not_equal(other, p->q);
}

static void
test_sizes(void **state)
{
	struct place *p = *state;

	assert_int_equal(check(p, 1000), 0);
	assert_int_equal(check(p, 1001), EMSGSIZE);
	assert_int_equal(reserve(p, 1001), EMSGSIZE);
	set_message(p, 400, true);
	clock_ms += 1000000;
	assert_int_equal(check(p, 600), 0);
	assert_int_equal(check(p, 601), EDQUOT);
	assert_int_equal(reserve(p, 601), EDQUOT);
	assert_int_equal(check(p, 0), 0);
	assert_int_equal(check(p, UINT64_MAX), EMSGSIZE);
}

static void
test_full(void **state)
{
	struct place *p = *state;

	set_message(p, 1000, true);
	assert_int_equal(check(p, 0), EDQUOT);
	assert_int_equal(check(p, 1), EDQUOT);
	assert_int_equal(check_in(p->q, 1001, 0), 0);
}

/* A map may have a lower quota than before. */
static void
test_over_full(void **state)
{
	struct place *p = *state;

	set_message(p, 5000, true);
	assert_int_equal(check(p, 1), EDQUOT);
}

static void
test_reserved(void **state)
{
	struct place *p = *state;

	assert_int_equal(reserve(p, 600), 0);
	assert_int_equal(check(p, 401), EDQUOT);
	assert_int_equal(reserve(p, 400), 0);
	assert_int_equal(check(p, 1), EDQUOT);
	quota_record(p->q, 400, false);
	assert_int_equal(check(p, 400), 0);
	quota_record(p->q, 600, true);
	assert_int_equal(check(p, 400), 0);
	assert_int_equal(check(p, 401), EDQUOT);
}

/* What the owner deletes makes room, but for a second. */
static void
test_deleted(void **state)
{
	struct place *p = *state;

	set_message(p, 900, true);
	assert_int_equal(check(p, 200), EDQUOT);
	set_message(p, 900, false);
	clock_ms += 999;
	assert_int_equal(check(p, 200), EDQUOT);
	clock_ms++;
	assert_int_equal(check(p, 200), 0);
}

/* What the owner stores counts after QUOTA_SCAN_AGE. */
static void
test_added(void **state)
{
	struct place *p = *state;

	assert_int_equal(check(p, 200), 0);
	set_message(p, 900, true);
	clock_ms += QUOTA_SCAN_AGE * 1000;
	assert_int_equal(check(p, 200), 0);
	clock_ms++;
	assert_int_equal(check(p, 200), EDQUOT);
}

/* A client that says no size is told at RCPT, for QUOTA_REFUSE_AGE, when its
 * last message had no room: with other recipients it would never be stored. */
static void
test_unknown_size(void **state)
{
	struct place *p = *state;

	set_message(p, 500, true);
	assert_int_equal(check(p, 0), 0);
	assert_int_equal(reserve(p, 600), EDQUOT);
	remember(p, 600);
	assert_int_equal(check(p, 0), EDQUOT);
	assert_int_equal(check(p, 1), 0);
	clock_ms += QUOTA_REFUSE_AGE * 1000 - 1;
	assert_int_equal(check(p, 0), EDQUOT);
	clock_ms++;
	assert_int_equal(check(p, 0), 0);
	remember(p, 5000);
	assert_int_equal(check(p, 0), EDQUOT);
}

/* One client's message is nothing to others. */
static void
test_other_clients(void **state)
{
	struct place *p = *state;

	set_message(p, 500, true);
	remember(p, 600);
	assert_int_equal(check_from(p, "192.0.2.1", "a@example.com"), EDQUOT);
	assert_int_equal(check_from(p, "192.0.2.1", "b@example.com"), 0);
	assert_int_equal(check_from(p, "192.0.2.1", ""), 0);
	assert_int_equal(check_from(p, "192.0.2.11", "a@example.com"), 0);
	assert_int_equal(check_from(p, "192.0.2.", "1 a@example.com"), 0);
	assert_int_equal(check_from(p, "192.0.2.1", "a@example.com"), EDQUOT);
}

/* It counts no longer once it has room, or another one of its client is
 * stored. */
static void
test_forgotten(void **state)
{
	struct place *p = *state;

	set_message(p, 500, true);
	remember(p, 600);
	assert_int_equal(check(p, 0), EDQUOT);
	set_message(p, 500, false);
	clock_ms += 1000;
	assert_int_equal(check(p, 0), 0);
	assert_int_equal(reserve(p, 500), 0);
	quota_record(p->q, 500, true);
	assert_int_equal(check(p, 0), 0);

	remember(p, 600);
	assert_int_equal(check(p, 0), EDQUOT);
	assert_int_equal(reserve(p, 100), 0);
	assert_int_equal(check(p, 0), 0);
}

/* What is told of a mailbox without room. */
static void
test_used(void **state)
{
	struct place *p = *state;
	struct quota_request r = message_of(1000, 0);

	set_message(p, 500, true);
	assert_int_equal(reserve(p, 300), 0);
	remember(p, 600);
	assert_int_equal(quota_check(p->q, &r), -1);
	assert_true(r.refused);
	assert_int_equal(r.used, 800);
	assert_int_equal(r.size, 600);
	r = message_of(1000, 200);
	assert_int_equal(quota_check(p->q, &r), 0);
	assert_false(r.refused);
	r = message_of(1000, 1001);
	assert_int_equal(quota_check(p->q, &r), -1);
	assert_true(r.refused);
}

/* Where nothing is yet there is room; where nothing can be read that is told.
 */
static void
test_unreadable(void **state)
{
	struct place *p = *state;
	struct quota *none = quotas_find(p->quotas, "/nonexistent/x", 1);
	struct quota *file = quotas_find(p->quotas, "/dev/null", 5);

	assert_int_equal(check_in(none, 1000, 1000), 0);
	assert_int_equal(check_in(file, 1000, 1), ENOTDIR);
}

/* Reserve and record an octet, again and again. */
static void *
use_quota(void *arg)
{
	const struct place *p = arg;

	for (int i = 0; i < 1000; i++) {
		struct quota *q =
		    quotas_find(p->quotas, p->path, strlen(p->path));
		struct quota_request r = message_of(UINT64_MAX, 1);

		if (quota_reserve(q, &r) == -1)
			return arg;
		quota_remember(q, &r);
		quota_record(q, 1, i % 2 == 0);
	}
	return NULL;
}

static void
test_threads(void **state)
{
	struct place *p = *state;
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, use_quota, p), 0);
	for (int i = 0; i < 4; i++) {
		void *result;

		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_null(result);
	}
	assert_int_equal(check_in(p->q, 2001, 1), 0);
	assert_int_equal(check_in(p->q, 2001, 2), EDQUOT);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_same_mailbox),
		CASE(test_sizes),
		CASE(test_full),
		CASE(test_over_full),
		CASE(test_reserved),
		CASE(test_deleted),
		CASE(test_added),
		CASE(test_unknown_size),
		CASE(test_other_clients),
		CASE(test_forgotten),
		CASE(test_used),
		CASE(test_unreadable),
		CASE(test_threads),
	};
#undef CASE

	return cmocka_run_group_tests(tests, NULL, NULL);
}
