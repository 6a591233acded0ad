// SPDX-License-Identifier: GPL-2.0
#include <linux/export.h>

#include "../codec/cursor.c"

EXPORT_SYMBOL_GPL(secbuf_cursor_put_string_max);
EXPORT_SYMBOL_GPL(secbuf_cursor_put_string);
EXPORT_SYMBOL_GPL(secbuf_cursor_get_string_max);
EXPORT_SYMBOL_GPL(secbuf_cursor_get_string);
EXPORT_SYMBOL_GPL(secbuf_cursor_skip_string);
