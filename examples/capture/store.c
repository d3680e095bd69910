/* SPDX-License-Identifier: MIT */
#include "store.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

struct store {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	GQueue messages; /* the newest first */
	size_t max_messages;
	uint64_t max_octets;
	struct store_state state;
};

struct store *
store_create(size_t max_messages, uint64_t max_octets)
{
	struct store *store = g_new0(struct store, 1);
	pthread_condattr_t attr;

	store->max_messages = max_messages;
	store->max_octets = max_octets;
	g_queue_init(&store->messages);
	pthread_mutex_init(&store->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&store->changed, &attr);
	pthread_condattr_destroy(&attr);
	return store;
}

static void
note_change(struct store *store)
{
	store->state.count = g_queue_get_length(&store->messages);
	store->state.changes++;
	pthread_cond_broadcast(&store->changed);
}

void
store_close(struct store *store)
{
	pthread_mutex_lock(&store->lock);
	store->state.closed = true;
	note_change(store);
	pthread_mutex_unlock(&store->lock);
}

/* Its octets are free again when nobody reads it any more. */
static void
drop_reference(struct store *store, struct message *m)
{
	if (--m->refs > 0)
		return;
	store->state.octets -= m->cost;
	message_free(m);
}

static void
remove_link(struct store *store, GList *link)
{
	struct message *m = link->data;

	g_queue_delete_link(&store->messages, link);
	drop_reference(store, m);
}

void
store_destroy(struct store *store)
{
	if (store == NULL)
		return;
	while (store->messages.head != NULL)
		remove_link(store, store->messages.head);
	pthread_cond_destroy(&store->changed);
	pthread_mutex_destroy(&store->lock);
	g_free(store);
}

int
store_reserve(struct store *store, uint64_t octets)
{
	bool removed = false, fits;

	pthread_mutex_lock(&store->lock);
	while (octets <= store->max_octets &&
	    store->state.octets > store->max_octets - octets &&
	    store->messages.tail != NULL) {
		remove_link(store, store->messages.tail);
		removed = true;
	}
	fits = octets <= store->max_octets &&
	    store->state.octets <= store->max_octets - octets;
	if (fits)
		store->state.octets += octets;
	if (removed)
		note_change(store);
	pthread_mutex_unlock(&store->lock);
	return fits ? 0 : -1;
}

void
store_release(struct store *store, uint64_t octets)
{
	pthread_mutex_lock(&store->lock);
	store->state.octets -= octets;
	pthread_mutex_unlock(&store->lock);
}

void
store_add(struct store *store, struct message *m)
{
	pthread_mutex_lock(&store->lock);
	g_queue_push_head(&store->messages, m);
	while (g_queue_get_length(&store->messages) > store->max_messages)
		remove_link(store, store->messages.tail);
	note_change(store);
	pthread_mutex_unlock(&store->lock);
}

static GList *
find_link(struct store *store, const char *id)
{
	GList *link = store->messages.head;

	while (
	    link != NULL && strcmp(((struct message *)link->data)->id, id) != 0)
		link = link->next;
	return link;
}

struct message *
store_get(struct store *store, const char *id)
{
	struct message *m = NULL;
	GList *link;

	pthread_mutex_lock(&store->lock);
	link = find_link(store, id);
	if (link != NULL) {
		m = link->data;
		m->refs++;
	}
	pthread_mutex_unlock(&store->lock);
	return m;
}

void
store_unref(struct store *store, struct message *m)
{
	pthread_mutex_lock(&store->lock);
	drop_reference(store, m);
	pthread_mutex_unlock(&store->lock);
}

size_t
store_select(struct store *store, const struct query *query,
    const struct store_range *range, struct message **out, size_t *total)
{
	GList *link = NULL;
	size_t n = 0;

	*total = 0;
	pthread_mutex_lock(&store->lock);
	if (range->before != NULL)
		link = find_link(store, range->before);
	link = link != NULL ? link->next : store->messages.head;
	for (; link != NULL; link = link->next) {
		struct message *m = link->data;

		if (range->after != NULL && strcmp(m->id, range->after) == 0)
			break;
		if (!query_matches(query, m))
			continue;
		++*total;
		if (n == range->limit)
			continue;
		m->refs++;
		out[n++] = m;
	}
	pthread_mutex_unlock(&store->lock);
	return n;
}

size_t
store_remove(struct store *store, const struct query *query)
{
	size_t n = 0;

	pthread_mutex_lock(&store->lock);
	for (GList *link = store->messages.head, *next; link != NULL;
	    link = next) {
		next = link->next;
		if (query_matches(query, link->data)) {
			remove_link(store, link);
			n++;
		}
	}
	if (n > 0)
		note_change(store);
	pthread_mutex_unlock(&store->lock);
	return n;
}

bool
store_remove_id(struct store *store, const char *id)
{
	GList *link;

	pthread_mutex_lock(&store->lock);
	link = find_link(store, id);
	if (link != NULL) {
		remove_link(store, link);
		note_change(store);
	}
	pthread_mutex_unlock(&store->lock);
	return link != NULL;
}

struct store_state
store_look(struct store *store)
{
	struct store_state state;

	pthread_mutex_lock(&store->lock);
	state = store->state;
	pthread_mutex_unlock(&store->lock);
	return state;
}

struct store_state
store_wait(struct store *store, uint64_t changes, uint64_t ms)
{
	struct store_state state;
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += (time_t)(ms / 1000);
	end.tv_nsec += (long)(ms % 1000) * 1000000;
	if (end.tv_nsec >= 1000000000) {
		end.tv_sec++;
		end.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&store->lock);
	while (store->state.changes == changes && !store->state.closed &&
	    pthread_cond_timedwait(&store->changed, &store->lock, &end) !=
		ETIMEDOUT)
		continue;
	state = store->state;
	pthread_mutex_unlock(&store->lock);
	return state;
}
