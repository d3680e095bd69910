/* SPDX-License-Identifier: MIT */
#ifndef ACCOUNTS_FILE_H
#define ACCOUNTS_FILE_H

/*
 * The parser of the file of accounts: lines "user key address...", see
 * submission(8).
 */

#include <stdbool.h>
#include <stddef.h>

#include "address_key.h"
#include "text_list.h"

/* A buffer of this many bytes is large enough for any key. */
#define ACCOUNTS_KEY_SIZE 512

struct account {
	char *user;
	char *key;                  /* of SCRAM (RFC 5803), or of crypt(3) */
	struct text_list addresses; /* keys of addresses, or "@domain" */
};

/* Sorted by their users. */
struct account_list {
	struct account *items;
	size_t count;
};

/*
 * Read the file PATH into LIST, which is empty.  Return 0, or an exit status
 * (EX_NOINPUT, EX_CONFIG, EX_OSERR) with the reason in WHY of SIZE bytes.  LIST
 * is to be finished in any case.
 */
int accounts_file_read(const char *path, bool only_scram,
    struct account_list *list, char *why, size_t size);

/* Free what LIST holds. */
void accounts_file_finish(struct account_list *list);

/* For bsearch(): compare the text USER with the user of ACCOUNT, a struct
 * account. */
int accounts_file_compare_user(const void *user, const void *account);

#endif
