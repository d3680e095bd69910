/* SPDX-License-Identifier: MIT */
#include "server/server_error.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/sizes.h"
#include "base/text.h"
#include "server/server_state.h"

/* The last sentence of one thread. */
struct smtpd_error_text {
	pthread_t thread;
	char text[SMTPD_SERVER_ERROR_SIZE];
	struct smtpd_error_text *next;
};

struct smtpd_error_list {
	pthread_mutex_t lock;
	struct smtpd_error_text *first;
};

struct smtpd_error_list *
smtpd__server_error_create(void)
{
	struct smtpd_error_list *list = calloc(1, sizeof(*list));

	if (list != NULL)
		pthread_mutex_init(&list->lock, NULL);
	return list;
}

void
smtpd__server_error_destroy(struct smtpd_error_list *list)
{
	if (list == NULL)
		return;
	while (list->first != NULL) {
		struct smtpd_error_text *next = list->first->next;

		free(list->first);
		list->first = next;
	}
	pthread_mutex_destroy(&list->lock);
	free(list);
}

/* The sentence of the calling thread, made if MAKE says so; or NULL. */
static char *
own_text(struct smtpd_error_list *list, bool make)
{
	struct smtpd_error_text *t;

	pthread_mutex_lock(&list->lock);
	t = list->first;
	while (t != NULL && !pthread_equal(t->thread, pthread_self()))
		t = t->next;
	if (t == NULL && make) {
		t = calloc(1, sizeof(*t));
		if (t != NULL) {
			t->thread = pthread_self();
			t->next = list->first;
			list->first = t;
		}
	}
	pthread_mutex_unlock(&list->lock);
	return t != NULL ? t->text : NULL;
}

const char *
smtpd_server_error(const struct smtpd_server *srv)
{
	const char *text = own_text(srv->errors, false);

	return text != NULL ? text : "";
}

int
smtpd__server_error_set(
    struct smtpd_server *srv, int error, const char *format, ...)
{
	char *text = own_text(srv->errors, true);
	struct smtpd_text t;
	va_list ap;

	errno = error;
	if (text == NULL)
		return -1;
	smtpd__text_init(&t, text, SMTPD_SERVER_ERROR_SIZE);
	va_start(ap, format);
	smtpd__text_vformat(&t, format, ap);
	va_end(ap);
	errno = error;
	return -1;
}

int
smtpd__server_error_errno(struct smtpd_server *srv, int error, const char *what)
{
	char reason[SMTPD_ERROR_TEXT_SIZE];

	if (strerror_r(error, reason, sizeof(reason)) != 0)
		reason[0] = '\0';
	return smtpd__server_error_set(srv, error, "%s: %s", what, reason);
}

int
smtpd__server_error_memory(struct smtpd_server *srv)
{
	return smtpd__server_error_set(srv, ENOMEM, "out of memory");
}

int
smtpd__server_error_null(struct smtpd_server *srv, const char *name)
{
	return smtpd__server_error_set(
	    srv, EINVAL, "%s must not be NULL", name);
}
