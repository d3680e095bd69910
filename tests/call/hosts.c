/* SPDX-License-Identifier: MIT */
#include "hosts.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "check.h"

void
call_hosts_start(struct call_hosts *h, const struct call_script *s,
    size_t otherwise, struct smtpd_cancel *cancel)
{
	static const char *const names[CALL_HOSTS] = { "mx1.example",
		"mx2.example", "mx3.example", "mx4.example", "mx5.example",
		"mx6.example", "mx7.example", "mx8.example" };

	h->count = call_script_number(s, "hosts", otherwise);
	scripted_bind(h->peers, h->count);
	for (size_t i = 0; i < h->count; i++) {
		h->list[i] = h->peers[i].target;
		h->list[i].host = names[i];
		if (!call_script_flag(s, "equal"))
			h->list[i].preference = (uint16_t)(10 * i);
		h->peers[i].cancel = cancel;
		/* There is no TCP to the broadcast address. */
		if (s->hosts[i].away)
			((struct sockaddr_in *)&h->list[i].addr)
			    ->sin_addr.s_addr = INADDR_BROADCAST;
		if (s->hosts[i].full)
			scripted_fill(&h->peers[i]);
		else if (!s->hosts[i].down)
			scripted_listen(&h->peers[i], s->hosts[i].script);
	}
}

void
call_hosts_finish(struct call_hosts *h)
{
	for (size_t i = 0; i < h->count; i++)
		scripted_finish(&h->peers[i]);
}

/* Write how many connections each host had: "1 0 -". */
static void
write_came(const struct call_hosts *h, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < h->count; i++) {
		const struct scripted *peer = &h->peers[i];

		n += (size_t)snprintf(out + n, size - n, i > 0 ? " " : "");
		n += peer->listens ? (size_t)snprintf(out + n, size - n, "%d",
					 peer->connections)
				   : (size_t)snprintf(out + n, size - n, "-");
	}
}

/* Each host that got a message got the one of LINE. */
static void
check_data(const struct call_hosts *h, const struct call_script *s,
    const struct call_line *line)
{
	size_t got = 0;

	for (size_t i = 0; i < h->count; i++) {
		const struct scripted *peer = &h->peers[i];
		char text[2 * sizeof(peer->data) + 2];

		if (peer->data_len == 0)
			continue;
		call_check_escape(
		    peer->data, peer->data_len, text, sizeof(text));
		call_check_line(s, line, text);
		got++;
	}
	if (got == 0)
		call_check_line(s, line, "");
}

bool
call_hosts_check(const struct call_hosts *h, const struct call_script *s,
    const struct call_line *line)
{
	const struct scripted *first = &h->peers[0];
	char got[64] = "";

	if (strcmp(line->word, "data") == 0) {
		check_data(h, s, line);
		return true;
	}
	if (strcmp(line->word, "came") == 0)
		write_came(h, got, sizeof(got));
	else if (strcmp(line->word, "octets") == 0)
		snprintf(got, sizeof(got), "%zu", first->chunked);
	else if (strcmp(line->word, "ended") == 0)
		call_check_escape(
		    first->ended, sizeof(first->ended), got, sizeof(got));
	else
		return false;
	call_check_line(s, line, got);
	return true;
}
