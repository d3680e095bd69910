/* SPDX-License-Identifier: MIT */
#include "https.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include <smtpd.h>

#define AGENT "smtpout/" SMTPD_VERSION

/* Room for "HOST:443:ADDRESS,ADDRESS,...", and for one address. */
#define PLACES_SIZE  2048
#define ADDRESS_SIZE 64

/* What a server says to a POST is thrown away, up to so many octets. */
#define ANSWER_MAX 65536

bool
https_is_available(void)
{
	return true;
}

int
https_begin(struct https *h)
{
	h->ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
	return h->ready ? 0 : -1;
}

void
https_end(struct https *h)
{
	if (h->ready)
		curl_global_cleanup();
	h->ready = false;
}

/* Where the body of an answer goes. */
struct body {
	char *at; /* NULL: nowhere */
	size_t size;
	size_t len;
	bool too_long;
};

static size_t
take_body(char *data, size_t one, size_t len, void *user)
{
	struct body *b = user;

	len *= one;
	if (len > b->size - b->len) {
		b->too_long = true;
		return 0;
	}
	if (b->at != NULL)
		memcpy(b->at + b->len, data, len);
	b->len += len;
	return len;
}

static int
look_at_cancel(
    void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return smtpd_cancel_is_triggered(user);
}

/* What all requests have in common. */
static CURL *
create_request(const struct https *h, const char *url, struct body *body,
    const struct smtpd_cancel *cancel, char error[CURL_ERROR_SIZE])
{
	CURL *c = curl_easy_init();

	error[0] = '\0';
	if (c == NULL)
		return NULL;
	curl_easy_setopt(c, CURLOPT_URL, url);
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
#else
	curl_easy_setopt(c, CURLOPT_PROTOCOLS, (long)CURLPROTO_HTTPS);
#endif
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)HTTPS_S);
	curl_easy_setopt(c, CURLOPT_USERAGENT, AGENT);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, error);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, body);
	curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, look_at_cancel);
	curl_easy_setopt(c, CURLOPT_XFERINFODATA, cancel);
	if (h->ca != NULL) {
		curl_easy_setopt(c, CURLOPT_CAINFO, h->ca);
		curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
	}
	return c;
}

/* Write where FETCH leads, as curl has it: by the DNS servers that mail is sent
 * by.  Return the list, or NULL. */
static struct curl_slist *
list_places(const struct smtpd_sts_fetch *fetch)
{
	const struct smtpd_target *t;
	char places[PLACES_SIZE];
	int len = snprintf(places, sizeof(places), "%s:443:", fetch->host);

	for (size_t i = 0; (t = smtpd_targets_get(fetch->targets, i)) != NULL;
	    i++) {
		char address[ADDRESS_SIZE];
		const bool six = t->addr.ss_family == AF_INET6;

		if ((size_t)len + ADDRESS_SIZE + 4 > sizeof(places) ||
		    getnameinfo((const struct sockaddr *)&t->addr, t->len,
			address, sizeof(address), NULL, 0, NI_NUMERICHOST) != 0)
			break;
		len += snprintf(places + len, sizeof(places) - (size_t)len,
		    "%s%s%s%s", i > 0 ? "," : "", six ? "[" : "", address,
		    six ? "]" : "");
	}
	return curl_slist_append(NULL, places);
}

/* RFC 8461, 3.2: text/plain, whatever its parameters say. */
static bool
is_plain_text(CURL *c)
{
	static const char wanted[] = "text/plain";
	const size_t len = sizeof(wanted) - 1;
	const char *type = NULL;

	curl_easy_getinfo(c, CURLINFO_CONTENT_TYPE, &type);
	return type != NULL && strncasecmp(type, wanted, len) == 0 &&
	    (type[len] == '\0' || strchr("; \t", type[len]) != NULL);
}

/* What CODE, and what C got, mean; the reason in FETCH. */
static enum smtpd_sts_fetched
judge_fetch(CURL *c, CURLcode code, const struct body *body, const char *error,
    struct smtpd_sts_fetch *fetch)
{
	long status = 0;

	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	if (body->too_long)
		snprintf(fetch->reason, fetch->reason_size,
		    "there are more than %zu octets", fetch->size);
	else if (code != CURLE_OK)
		snprintf(fetch->reason, fetch->reason_size, "%s",
		    error[0] != '\0' ? error : curl_easy_strerror(code));
	else if (status != 200)
		snprintf(fetch->reason, fetch->reason_size,
		    "the web server answered with status %ld", status);
	else if (!is_plain_text(c))
		snprintf(fetch->reason, fetch->reason_size,
		    "it is not of the type text/plain");
	else
		return SMTPD_STS_FETCHED;
	return code == CURLE_PEER_FAILED_VERIFICATION ? SMTPD_STS_UNTRUSTED
						      : SMTPD_STS_UNREACHABLE;
}

enum smtpd_sts_fetched
https_fetch(struct smtpd_sts_fetch *fetch, void *https)
{
	struct body body = { .at = fetch->text, .size = fetch->size };
	char error[CURL_ERROR_SIZE];
	CURL *c =
	    create_request(https, fetch->url, &body, fetch->cancel, error);
	struct curl_slist *places = list_places(fetch);
	enum smtpd_sts_fetched result = SMTPD_STS_UNREACHABLE;

	if (c != NULL && places != NULL) {
		curl_easy_setopt(c, CURLOPT_RESOLVE, places);
		curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
		curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
		curl_easy_setopt(
		    c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
		result =
		    judge_fetch(c, curl_easy_perform(c), &body, error, fetch);
	} else {
		snprintf(fetch->reason, fetch->reason_size, "no memory");
	}
	fetch->len = body.len;
	curl_slist_free_all(places);
	curl_easy_cleanup(c);
	return result;
}

/* A report goes where somebody else says: never to this host itself, or to what
 * only its neighbours reach. */
static bool
is_near(const struct curl_sockaddr *a)
{
	const struct sockaddr *any = &a->addr;

	if (any->sa_family == AF_INET) {
		struct sockaddr_in four;
		uint32_t ip;

		memcpy(&four, any, sizeof(four));
		ip = ntohl(four.sin_addr.s_addr);
		return ip >> 24 == 127 || ip >> 24 == 0 || ip >> 16 == 0xa9fe;
	}
	if (any->sa_family == AF_INET6) {
		struct sockaddr_in6 six;

		memcpy(&six, any, sizeof(six));
		return IN6_IS_ADDR_LOOPBACK(&six.sin6_addr) ||
		    IN6_IS_ADDR_LINKLOCAL(&six.sin6_addr) ||
		    IN6_IS_ADDR_UNSPECIFIED(&six.sin6_addr) ||
		    IN6_IS_ADDR_V4MAPPED(&six.sin6_addr);
	}
	return true;
}

static curl_socket_t
open_far_socket(void *user, curlsocktype purpose, struct curl_sockaddr *a)
{
	(void)user;
	(void)purpose;
	return is_near(a) ? CURL_SOCKET_BAD
			  : socket(a->family, a->socktype, a->protocol);
}

int
https_post(const struct https *h, const char *url, const char *type,
    const void *data, size_t len, const struct smtpd_cancel *cancel, char *why,
    size_t size)
{
	struct body body = { .size = ANSWER_MAX };
	char error[CURL_ERROR_SIZE], line[128];
	CURL *c = create_request(h, url, &body, cancel, error);
	struct curl_slist *fields = NULL;
	CURLcode code = CURLE_OUT_OF_MEMORY;
	long status = 0;

	snprintf(line, sizeof(line), "Content-Type: %s", type);
	fields = curl_slist_append(NULL, line);
	if (c != NULL && fields != NULL) {
		curl_easy_setopt(c, CURLOPT_HTTPHEADER, fields);
		curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
		curl_easy_setopt(
		    c, CURLOPT_OPENSOCKETFUNCTION, open_far_socket);
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, data);
		curl_easy_setopt(
		    c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
		code = curl_easy_perform(c);
		curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
		/* A long answer has its status in front of it. */
		if (body.too_long)
			code = CURLE_OK;
	}
	if (code != CURLE_OK)
		snprintf(why, size, "%s",
		    error[0] != '\0' ? error : curl_easy_strerror(code));
	else
		snprintf(why, size, "the web server answered with status %ld",
		    status);
	curl_slist_free_all(fields);
	curl_easy_cleanup(c);
	return code == CURLE_OK && status / 100 == 2 ? 0 : -1;
}
