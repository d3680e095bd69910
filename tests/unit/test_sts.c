/* SPDX-License-Identifier: MIT */
#include "policy/sts.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os/clock.h"
#include "test.h"

#define ENFORCE \
	"version: STSv1\nmode: enforce\nmx: mx.example\nmax_age: 86400\n"
#define TESTING \
	"version: STSv1\nmode: testing\nmx: mx.example\nmax_age: 86400\n"
#define SHORT "version: STSv1\nmode: enforce\nmx: mx.example\nmax_age: 0\n"

/* What the DNS and the web servers of all domains say. */
static struct {
	enum smtpd_txt_status status;
	const char *record;
	enum smtpd_sts_fetched fetched;
	const char *text;
	atomic_uint lookups, fetches;
	char url[128];

	/* Who fetches from "slow.example" waits for it to be let go. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool slow_began, slow_ends;
} net = { .lock = PTHREAD_MUTEX_INITIALIZER,
	.changed = PTHREAD_COND_INITIALIZER };

static char directory[] = "/tmp/test_sts.XXXXXX";
static uint64_t now;

static void
find_record(void *user, const char *domain, const struct smtpd_cancel *cancel,
    struct smtpd_txt *out)
{
	(void)user;
	(void)domain;
	(void)cancel;
	atomic_fetch_add(&net.lookups, 1);
	out->status = net.status;
	out->ttl_s = 1;
	out->len = strlen(net.record);
	memcpy(out->text, net.record, out->len);
}

static enum smtpd_sts_fetched
fetch_text(struct smtpd_sts_fetch *f, void *user)
{
	(void)user;
	atomic_fetch_add(&net.fetches, 1);
	if (strstr(f->url, "slow.example") != NULL) {
		pthread_mutex_lock(&net.lock);
		net.slow_began = true;
		pthread_cond_broadcast(&net.changed);
		while (!net.slow_ends)
			pthread_cond_wait(&net.changed, &net.lock);
		pthread_mutex_unlock(&net.lock);
	} else {
		snprintf(net.url, sizeof(net.url), "%s", f->url);
	}
	snprintf(f->reason, f->reason_size, "it is not there");
	f->len = strlen(net.text);
	memcpy(f->text, net.text, f->len);
	return net.fetched;
}

static struct smtpd_sts *
create(const char *where)
{
	const struct smtpd_sts_settings set = {
		.directory = where,
		.txt = find_record,
		.fetch = fetch_text,
	};
	struct smtpd_sts *s = smtpd__sts_create(&set);

	assert_non_null(s);
	return s;
}

static enum smtpd_sts_mode
find_mode(struct smtpd_sts *s, const char *domain)
{
	struct smtpd_sts_found found;
	enum smtpd_sts_mode mode;

	smtpd__sts_find(s, domain, NULL, now, &found);
	mode = found.policy.mode;
	smtpd__sts_release(&found);
	return mode;
}

static int
set_up(void **state)
{
	(void)state;
	net.status = SMTPD_TXT_FOUND;
	net.record = "v=STSv1; id=1;";
	net.fetched = SMTPD_STS_FETCHED;
	net.text = ENFORCE;
	net.lookups = net.fetches = 0;
	net.slow_began = net.slow_ends = false;
	now = smtpd__clock_wall_ms() / 1000;
	return 0;
}

/* RFC 8461, 3.3: by the well-known URL, once for as long as it holds. */
static void
a_policy_is_fetched_once(void **state)
{
	struct smtpd_sts *s = create(NULL);
	struct smtpd_sts_found found;

	(void)state;
	smtpd__sts_find(s, "a.example", NULL, now, &found);
	assert_int_equal(found.policy.mode, SMTPD_STS_ENFORCE);
	assert_true(smtpd__sts_policy_allows(&found.policy, "mx.example"));
	assert_string_equal(found.id, "1");
	assert_int_equal(found.until_s, now + 86400);
	smtpd__sts_release(&found);
	assert_string_equal(
	    net.url, "https://mta-sts.a.example/.well-known/mta-sts.txt");
	now += 299;
	assert_int_equal(find_mode(s, "a.example"), SMTPD_STS_ENFORCE);
	smtpd__sts_refresh(s, now);
	assert_int_equal(net.fetches, 1);
	assert_int_equal(net.lookups, 1);
	smtpd__sts_destroy(s);
}

/* RFC 8461, 3.1: without a record nothing is fetched. */
static void
no_record_no_policy(void **state)
{
	struct smtpd_sts *s = create(NULL);

	(void)state;
	net.status = SMTPD_TXT_NONE;
	assert_int_equal(find_mode(s, "a.example"), SMTPD_STS_NONE);
	net.status = SMTPD_TXT_FOUND;
	net.record = "v=STSv1; id=?;";
	assert_int_equal(find_mode(s, "b.example"), SMTPD_STS_NONE);
	assert_int_equal(net.fetches, 0);
	smtpd__sts_destroy(s);
}

/* RFC 8461, 5.1: a policy that is known holds to its end without a record. */
static void
a_policy_outlives_its_record(void **state)
{
	struct smtpd_sts *s = create(NULL);

	(void)state;
	assert_int_equal(find_mode(s, "a.example"), SMTPD_STS_ENFORCE);
	net.status = SMTPD_TXT_NONE;
	now += 1000;
	assert_int_equal(find_mode(s, "a.example"), SMTPD_STS_ENFORCE);
	smtpd__sts_refresh(s, now);
	assert_int_equal(net.lookups, 2);
	now += 85399;
	assert_int_equal(find_mode(s, "a.example"), SMTPD_STS_ENFORCE);
	now += 1;
	assert_int_equal(find_mode(s, "a.example"), SMTPD_STS_NONE);
	smtpd__sts_destroy(s);
}

/* RFC 8461, 3.3: a fetch that fails leaves mail as it was, and is not tried
 * again at once; with a policy that is known, this holds on. */
static void
a_fetch_fails(void **state)
{
	struct smtpd_sts *s = create(NULL);
	struct smtpd_sts_found found;

	(void)state;
	net.fetched = SMTPD_STS_UNREACHABLE;
	smtpd__sts_find(s, "a.example", NULL, now, &found);
	assert_int_equal(found.policy.mode, SMTPD_STS_NONE);
	assert_int_equal(
	    found.failure, SMTPD_TLS_FAILURE_STS_POLICY_FETCH_ERROR);
	smtpd__sts_find(s, "a.example", NULL, now + 299, &found);
	assert_int_equal(net.fetches, 1);
	net.fetched = SMTPD_STS_UNTRUSTED;
	smtpd__sts_find(s, "a.example", NULL, now + 300, &found);
	assert_int_equal(found.failure, SMTPD_TLS_FAILURE_STS_WEBPKI_INVALID);
	net.fetched = SMTPD_STS_FETCHED;
	net.text = "<html>";
	smtpd__sts_find(s, "a.example", NULL, now + 600, &found);
	assert_int_equal(found.failure, SMTPD_TLS_FAILURE_STS_POLICY_INVALID);
	net.text = ENFORCE;
	now += 900;
	assert_int_equal(find_mode(s, "a.example"), SMTPD_STS_ENFORCE);
	net.fetched = SMTPD_STS_UNREACHABLE;
	net.record = "v=STSv1; id=2;";
	now += 1000;
	smtpd__sts_find(s, "a.example", NULL, now, &found);
	smtpd__sts_release(&found);
	smtpd__sts_refresh(s, now);
	assert_int_equal(net.fetches, 5);
	assert_int_equal(find_mode(s, "a.example"), SMTPD_STS_ENFORCE);
	smtpd__sts_destroy(s);
}

/* RFC 8461, 3.1: a new id, a new policy; nobody waits for it. */
static void
a_new_id(void **state)
{
	struct smtpd_sts *s = create(NULL);

	(void)state;
	assert_int_equal(find_mode(s, "a.example"), SMTPD_STS_ENFORCE);
	net.record = "v=STSv1; id=2;";
	net.text = TESTING;
	now += 300;
	assert_int_equal(find_mode(s, "a.example"), SMTPD_STS_ENFORCE);
	assert_int_equal(net.lookups, 1);
	smtpd__sts_refresh(s, now);
	assert_int_equal(find_mode(s, "a.example"), SMTPD_STS_TESTING);
	smtpd__sts_destroy(s);
}

/* RFC 8461, 5.1: before mail fails for good a new policy is looked for, also
 * where the next look would come later. */
static void
a_policy_is_doubted(void **state)
{
	struct smtpd_sts *s = create(NULL);

	(void)state;
	assert_int_equal(find_mode(s, "a.example"), SMTPD_STS_ENFORCE);
	net.record = "v=STSv1; id=2;";
	net.text = TESTING;
	smtpd__sts_doubt(s, "a.example", now + 299);
	smtpd__sts_refresh(s, now + 299);
	assert_int_equal(net.lookups, 1);
	smtpd__sts_doubt(s, "a.example", now + 300);
	smtpd__sts_doubt(s, "b.example", now + 300);
	smtpd__sts_refresh(s, now + 300);
	assert_int_equal(find_mode(s, "a.example"), SMTPD_STS_TESTING);
	smtpd__sts_destroy(s);
}

/* RFC 8461, 3.3: a policy that goes on is fetched again before its end, even if
 * the DNS gives no answer. */
static void
a_policy_is_refreshed(void **state)
{
	struct smtpd_sts *s = create(NULL);

	(void)state;
	assert_int_equal(find_mode(s, "a.example"), SMTPD_STS_ENFORCE);
	now += 43199;
	smtpd__sts_refresh(s, now);
	assert_int_equal(net.fetches, 1);
	now += 1;
	smtpd__sts_refresh(s, now);
	assert_int_equal(net.fetches, 2);
	net.status = SMTPD_TXT_FAILED;
	now += 43200;
	smtpd__sts_refresh(s, now);
	assert_int_equal(net.fetches, 3);
	now += 86399;
	assert_int_equal(find_mode(s, "a.example"), SMTPD_STS_ENFORCE);
	smtpd__sts_destroy(s);
}

/* One that holds for no time is good for the mail that asked for it. */
static void
a_policy_without_duration(void **state)
{
	struct smtpd_sts *s = create(NULL);

	(void)state;
	net.text = SHORT;
	assert_int_equal(find_mode(s, "a.example"), SMTPD_STS_ENFORCE);
	now += 1;
	assert_int_equal(find_mode(s, "a.example"), SMTPD_STS_NONE);
	smtpd__sts_destroy(s);
}

static void
write_file(const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void
make_pipe(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	assert_int_equal(mkfifo(path, 0600), 0);
}

static bool
is_there(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return access(path, F_OK) == 0;
}

/* RFC 8461, 10.2: who lets no fetch through when we start wins nothing. */
static void
policies_outlive_the_process(void **state)
{
	struct smtpd_sts *s = create(directory);

	(void)state;
	assert_int_equal(find_mode(s, "a.example"), SMTPD_STS_ENFORCE);
	smtpd__sts_destroy(s);
	net.status = SMTPD_TXT_FAILED;
	net.fetched = SMTPD_STS_UNREACHABLE;
	s = create(directory);
	assert_int_equal(find_mode(s, "a.example"), SMTPD_STS_ENFORCE);
	assert_int_equal(net.fetches, 1);
	smtpd__sts_destroy(s);
}

static void
files_that_are_no_policies(void **state)
{
	char head[64], text[512];
	struct smtpd_sts *s;

	(void)state;
	snprintf(head, sizeof(head), "mta-sts 1 id=1 fetched=%llu\n",
	    (unsigned long long)now - 100000);
	snprintf(text, sizeof(text), "%s%s", head, ENFORCE);
	write_file("over.example", text);
	snprintf(head, sizeof(head), "mta-sts 1 id=1 fetched=%llu\n",
	    (unsigned long long)now);
	snprintf(text, sizeof(text), "%s%s", head, "version: STSv1\nmode: en");
	write_file("half.example", text);
	write_file("empty.example", "");
	write_file("none.example", "mta-sts 2\n");
	write_file("%new", ENFORCE);
	snprintf(text, sizeof(text), "%s%s", head, ENFORCE);
	write_file("good.example", text);
	write_file("UPPER.example", text);
	make_pipe("pipe.example");
	s = create(directory);
	net.status = SMTPD_TXT_NONE;
	assert_int_equal(find_mode(s, "good.example"), SMTPD_STS_ENFORCE);
	assert_int_equal(find_mode(s, "over.example"), SMTPD_STS_NONE);
	assert_int_equal(find_mode(s, "half.example"), SMTPD_STS_NONE);
	smtpd__sts_destroy(s);
	assert_true(is_there("good.example"));
	assert_false(is_there("over.example"));
	assert_false(is_there("half.example"));
	assert_false(is_there("empty.example"));
	assert_false(is_there("none.example"));
	assert_false(is_there("UPPER.example"));
	assert_false(is_there("%new"));
	/* It was not waited for. */
	assert_true(is_there("pipe.example"));
}

/* Of so many domains the oldest are forgotten, on the disk too. */
static void
policies_are_bounded(void **state)
{
	struct smtpd_sts *s = create(NULL);
	char domain[32];

	(void)state;
	assert_int_equal(find_mode(s, "first.example"), SMTPD_STS_ENFORCE);
	now++;
	net.status = SMTPD_TXT_NONE;
	for (int i = 0; i < 10010; i++) {
		snprintf(domain, sizeof(domain), "d%d.example", i);
		find_mode(s, domain);
	}
	/* Those without a policy went first. */
	assert_int_equal(find_mode(s, "first.example"), SMTPD_STS_ENFORCE);
	net.lookups = 0;
	find_mode(s, "d10009.example");
	assert_int_equal(net.lookups, 0);
	smtpd__sts_destroy(s);
}

static void *
find_slow(void *arg)
{
	return find_mode(arg, "slow.example") == SMTPD_STS_ENFORCE ? arg : NULL;
}

/* Who needs one waits for the one fetch, and nobody else does. */
static void
others_do_not_wait(void **state)
{
	struct smtpd_sts *s = create(NULL);
	pthread_t first, second;
	void *result;

	(void)state;
	assert_int_equal(pthread_create(&first, NULL, find_slow, s), 0);
	pthread_mutex_lock(&net.lock);
	while (!net.slow_began)
		pthread_cond_wait(&net.changed, &net.lock);
	pthread_mutex_unlock(&net.lock);
	assert_int_equal(pthread_create(&second, NULL, find_slow, s), 0);
	assert_int_equal(find_mode(s, "a.example"), SMTPD_STS_ENFORCE);
	smtpd__sts_refresh(s, now);
	pthread_mutex_lock(&net.lock);
	net.slow_ends = true;
	pthread_cond_broadcast(&net.changed);
	pthread_mutex_unlock(&net.lock);
	pthread_join(first, &result);
	assert_non_null(result);
	pthread_join(second, &result);
	assert_non_null(result);
	assert_int_equal(net.fetches, 2);
	smtpd__sts_destroy(s);
}

static int
make_directory(void **state)
{
	(void)state;
	return mkdtemp(directory) != NULL ? 0 : -1;
}

static int
remove_directory(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_policy_is_fetched_once, set_up),
		cmocka_unit_test_setup(no_record_no_policy, set_up),
		cmocka_unit_test_setup(a_policy_outlives_its_record, set_up),
		cmocka_unit_test_setup(a_fetch_fails, set_up),
		cmocka_unit_test_setup(a_new_id, set_up),
		cmocka_unit_test_setup(a_policy_is_doubted, set_up),
		cmocka_unit_test_setup(a_policy_is_refreshed, set_up),
		cmocka_unit_test_setup(a_policy_without_duration, set_up),
		cmocka_unit_test_setup(policies_outlive_the_process, set_up),
		cmocka_unit_test_setup(files_that_are_no_policies, set_up),
		cmocka_unit_test_setup(policies_are_bounded, set_up),
		cmocka_unit_test_setup(others_do_not_wait, set_up),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
