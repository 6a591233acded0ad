// SPDX-License-Identifier: GPL-2.0
#include <linux/export.h>

#include "../codec/buffer.c"

EXPORT_SYMBOL_GPL(__secbuf_buffer_append);
EXPORT_SYMBOL_GPL(__secbuf_buffer_prepare);
EXPORT_SYMBOL_GPL(__secbuf_buffer_put_bytes);
EXPORT_SYMBOL_GPL(__secbuf_buffer_put_share);
EXPORT_SYMBOL_GPL(secbuf_buffer_clear);
EXPORT_SYMBOL_GPL(secbuf_buffer_is_unique);
EXPORT_SYMBOL_GPL(secbuf_buffer_open_bytes);
EXPORT_SYMBOL_GPL(secbuf_buffer_open_copy);
EXPORT_SYMBOL_GPL(secbuf_buffer_open_string);
EXPORT_SYMBOL_GPL(secbuf_buffer_put_mpint);
EXPORT_SYMBOL_GPL(secbuf_buffer_put_string_max);
EXPORT_SYMBOL_GPL(secbuf_buffer_reserve);
EXPORT_SYMBOL_GPL(secbuf_buffer_resize);
EXPORT_SYMBOL_GPL(secbuf_buffer_share);
EXPORT_SYMBOL_GPL(secbuf_buffer_shrink);
EXPORT_SYMBOL_GPL(secbuf_buffer_shrink_to_fit);
EXPORT_SYMBOL_GPL(secbuf_buffer_trim);
EXPORT_SYMBOL_GPL(secbuf_buffer_unshare);
EXPORT_SYMBOL_GPL(secbuf_buffer_zeroize);
