// SPDX-License-Identifier: GPL-2.0
#include <linux/export.h>

#include "../codec/cursor.c"

EXPORT_SYMBOL_GPL(secbuf_cursor_put_mpint);
EXPORT_SYMBOL_GPL(secbuf_cursor_get_mpint);
EXPORT_SYMBOL_GPL(secbuf_cursor_get_text);
