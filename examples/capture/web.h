/* SPDX-License-Identifier: MIT */
#ifndef WEB_H
#define WEB_H

/*
 * Where the page is: the socket for it.
 */

#include <stddef.h>

#define WEB_URL_SIZE 128

/*
 * Listen on ADDRESS, an IP address with a port or for port 8025, and write the
 * URL to URL of SIZE bytes.  Return the socket, or -1 after a complaint as
 * PROGRAM.
 */
int web_listen(
    const char *program, const char *address, char *url, size_t size);

#endif
