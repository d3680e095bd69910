/* SPDX-License-Identifier: MIT */
#include "address_list.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <smtpd/address.h>

/* As long as any address can be. */
#define LOCAL_DOMAIN "@localhost"
#define ADDRESS_SIZE (SMTPD_ADDRESS_MAX / 2)

/* The parts of a text, without comments and white space. */
enum token {
	END,
	WORD,    /* an atom, a quoted string or a domain literal */
	SPECIAL, /* one of , : ; < > @ . */
	BROKEN,
};

struct scanner {
	const char *at, *end;
	const char *token; /* the present one, or the blank before it */
	size_t len;
};

/* One address under construction. */
struct element {
	char text[ADDRESS_SIZE];
	size_t len;
	bool after_word; /* the last token was a word */
	bool phrase;     /* two words stand beside each other: only a name does
	                  * that */
};

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Pass over what stands between OPEN and CLOSE, which nest if they differ and
 * NESTS, from the one at s->at on.  Return 0, or -1 when it has no end. */
static int
skip_enclosed(struct scanner *s, char open, char close, bool nests)
{
	int depth = 0;

	for (; s->at < s->end; s->at++) {
		if (*s->at == '\\' && s->at + 1 < s->end) {
			s->at++;
		} else if (depth > 0 && *s->at == close) {
			depth--;
		} else if (*s->at == open && (nests || depth == 0)) {
			depth++;
		}
		if (depth == 0) {
			s->at++;
			return 0;
		}
	}
	return -1;
}

/* Comments and white space (CFWS, RFC 5322, 3.2.2). */
static int
skip_blank(struct scanner *s)
{
	while (s->at < s->end && (is_space(*s->at) || *s->at == '('))
		if (is_space(*s->at))
			s->at++;
		else if (skip_enclosed(s, '(', ')', true) == -1)
			return -1;
	return 0;
}

static void
skip_atom(struct scanner *s)
{
	while (s->at < s->end && !is_space(*s->at) &&
	    strchr("()<>[]:;@\\,.\"", *s->at) == NULL)
		s->at++;
}

/* What has no end is a mere character: what follows is looked at again. */
static enum token
break_off(struct scanner *s)
{
	s->at = s->token + 1;
	return BROKEN;
}

static enum token
next_token(struct scanner *s)
{
	s->token = s->at;
	s->len = 0;
	if (skip_blank(s) == -1)
		return break_off(s);
	s->token = s->at;
	if (s->at == s->end)
		return END;
	if (strchr(",:;<>@.", *s->at) != NULL && *s->at != '\0') {
		s->at++;
		s->len = 1;
		return SPECIAL;
	}
	if (*s->at != '"' && *s->at != '[')
		skip_atom(s);
	else if (skip_enclosed(s, *s->at, *s->at == '"' ? '"' : ']', false) ==
	    -1)
		return break_off(s);
	s->len = (size_t)(s->at - s->token);
	return s->len > 0 ? WORD : break_off(s);
}

static void
clear_element(struct element *e)
{
	e->len = 0;
	e->after_word = false;
	e->phrase = false;
}

/* Add the present token.  What is too long for an address can only be the
 * beginning of a name. */
static void
add_token(struct element *e, const struct scanner *s, enum token token)
{
	if (token == WORD && e->after_word)
		e->phrase = true;
	e->after_word = token == WORD;
	if (s->len >= sizeof(e->text) - e->len) {
		e->phrase = true;
		return;
	}
	memcpy(e->text + e->len, s->token, s->len);
	e->len += s->len;
	e->text[e->len] = '\0';
}

/* Whether E is an address of RFC 5321, with a domain or without. */
static bool
is_address(const struct element *e)
{
	char whole[ADDRESS_SIZE + sizeof(LOCAL_DOMAIN)];
	char buf[SMTPD_ADDRESS_MAX];
	struct smtpd_address address;

	if (smtpd_address_parse(e->text, buf, sizeof(buf), &address) == 0)
		return true;
	/* "J. R." is half a name. */
	if (e->text[0] == '.' || (e->len > 0 && e->text[e->len - 1] == '.'))
		return false;
	snprintf(whole, sizeof(whole), "%s" LOCAL_DOMAIN, e->text);
	return smtpd_address_parse(whole, buf, sizeof(buf), &address) == 0;
}

static int
fail_syntax(void)
{
	errno = EINVAL;
	return -1;
}

static int
store_address(const struct element *e, struct text_list *out)
{
	if (e->phrase || !is_address(e))
		return fail_syntax();
	if (text_list_add(out, e->text) == 0)
		return 0;
	errno = ENOMEM;
	return -1;
}

/* A route of hosts before an address (RFC 5322, 4.4), which means nothing any
 * more: "@a,@b:".  Return the token behind it. */
static enum token
skip_route(struct scanner *s, enum token token)
{
	if (token != SPECIAL || *s->token != '@')
		return token;
	while (token != END && token != BROKEN) {
		if (token == SPECIAL && *s->token == ':')
			return next_token(s);
		if (token == SPECIAL && strchr("<>;", *s->token) != NULL)
			return BROKEN;
		token = next_token(s);
	}
	return BROKEN;
}

/* "<undisclosed-recipients:;>", whose rest is ":;>", names nobody. */
static bool
is_empty_group(struct scanner *s)
{
	return *s->token == ':' && next_token(s) == SPECIAL &&
	    *s->token == ';' && next_token(s) == SPECIAL && *s->token == '>';
}

/* Parse the rest of an address in angle brackets, up to ">". */
static int
parse_angle(struct scanner *s, struct text_list *out)
{
	struct element e;
	enum token token = skip_route(s, next_token(s));

	clear_element(&e);
	e.text[0] = '\0';
	for (; token != END && token != BROKEN; token = next_token(s)) {
		if (token == SPECIAL && *s->token == '>')
			break;
		if (token == SPECIAL && strchr(",:;<", *s->token) != NULL)
			return is_empty_group(s) ? 0 : fail_syntax();
		add_token(&e, s, token);
	}
	if (token != SPECIAL)
		return fail_syntax();
	if (e.len > 0 || e.phrase)
		return store_address(&e, out);
	return text_list_add(out, "");
}

/* One mailbox, or the name of a group: up to the special that ends it, which is
 * in *LAST, 0 at the end of the text, and ' ' where it broke before. */
static int
parse_element(struct scanner *s, struct text_list *out, char *last)
{
	struct element e;
	bool angle = false;

	clear_element(&e);
	for (;;) {
		enum token token = next_token(s);

		*last = token == SPECIAL ? *s->token
		    : token == END       ? '\0'
					 : ' ';
		if (token == BROKEN || (angle && token == WORD))
			return fail_syntax();
		if (token == END || *last == ',' || *last == ';' ||
		    *last == ':')
			break;
		if (angle || *last == '>')
			return fail_syntax();
		if (*last == '<') {
			if (parse_angle(s, out) == -1)
				return -1;
			angle = true;
		} else {
			add_token(&e, s, token);
		}
	}
	/* The name of a group is not an address. */
	if (*last == ':')
		return angle || (e.len == 0 && !e.phrase) ? fail_syntax() : 0;
	return angle || (e.len == 0 && !e.phrase) ? 0 : store_address(&e, out);
}

/* Add what stands from BEGIN up to the present token, without blanks around
 * it, to BAD. */
static int
store_bad(const struct scanner *s, const char *begin, struct text_list *bad)
{
	const char *end = s->token;
	char text[ADDRESS_SIZE];

	while (begin < end && is_space(*begin))
		begin++;
	while (end > begin && is_space(end[-1]))
		end--;
	snprintf(text, sizeof(text), "%.*s", (int)(end - begin), begin);
	return text_list_add(bad, text);
}

/* What begins at BEGIN is no address: pass over it, and add it to BAD.  *LAST
 * is as parse_element() has it. */
static int
skip_bad(
    struct scanner *s, const char *begin, char *last, struct text_list *bad)
{
	while (*last != ',' && *last != ';' && *last != '\0') {
		enum token token = next_token(s);

		*last = token == SPECIAL ? *s->token
		    : token == END       ? '\0'
					 : ' ';
	}
	if (store_bad(s, begin, bad) == 0)
		return 0;
	errno = ENOMEM;
	return -1;
}

/* Undo what was added to OUT behind the first COUNT. */
static void
forget_rest(struct text_list *out, size_t count)
{
	while (out->count > count)
		free(out->items[--out->count]);
}

/* Parse the next element; if there is a mistake in it and BAD is not NULL, go
 * on behind it. */
static int
parse_next(
    struct scanner *s, struct text_list *out, struct text_list *bad, char *last)
{
	size_t count = out->count;
	const char *begin = s->at;

	if (parse_element(s, out, last) == 0)
		return 0;
	if (bad == NULL || errno != EINVAL)
		return -1;
	forget_rest(out, count);
	return skip_bad(s, begin, last, bad);
}

static int
parse_list(struct scanner *s, struct text_list *out, struct text_list *bad)
{
	bool group = false;
	char last;

	do {
		if (parse_next(s, out, bad, &last) == -1)
			return -1;
		/* A ";" that ends no group is as good as a comma. */
		if (last == ':' && group && bad == NULL)
			return fail_syntax();
		if (last == ':' || last == ';')
			group = last == ':';
	} while (last != '\0');
	return group && bad == NULL ? fail_syntax() : 0;
}

int
address_list_parse(const char *text, size_t len, struct text_list *out)
{
	struct scanner s = { .at = text, .end = text + len };

	return parse_list(&s, out, NULL);
}

int
address_list_parse_each(
    const char *text, size_t len, struct text_list *out, struct text_list *bad)
{
	struct scanner s = { .at = text, .end = text + len };

	return parse_list(&s, out, bad);
}
