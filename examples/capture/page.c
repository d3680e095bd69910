/* SPDX-License-Identifier: MIT */
#include "page.h"

#include <string.h>

#include "page_files.h"

static const struct {
	const char *path;
	const char *name;
	const char *type;
} files[] = {
	{ "/", "/page.html", "text/html; charset=utf-8" },
	{ "/page.css", "/page.css", "text/css; charset=utf-8" },
	{ "/page.js", "/page.js", "text/javascript; charset=utf-8" },
	{ "/icon.svg", "/icon.svg", "image/svg+xml" },
};

enum MHD_Result
page_send(const struct http_request *r)
{
	GBytes *bytes = NULL;
	size_t i = 0, size;
	const void *data;

	while (i < G_N_ELEMENTS(files) && strcmp(files[i].path, r->path) != 0)
		i++;
	if (i < G_N_ELEMENTS(files))
		bytes = g_resource_lookup_data(page_files_get_resource(),
		    files[i].name, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
	if (bytes == NULL)
		return http_send_error(
		    r, MHD_HTTP_NOT_FOUND, "there is nothing by that name");
	data = g_bytes_get_data(bytes, &size);
	/* They are a part of the program, and stay. */
	g_bytes_unref(bytes);
	return http_send(r, MHD_HTTP_OK, files[i].type, HTTP_PAGE,
	    MHD_create_response_from_buffer(
		size, (void *)(guintptr)data, MHD_RESPMEM_PERSISTENT));
}
