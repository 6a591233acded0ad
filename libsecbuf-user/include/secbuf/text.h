/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Text into buffers: formatted, hexadecimal, base64. All of it is added behind
 * the contents, and the position stays. Nothing is copied anywhere else on the
 * way, neither to the stack nor to the heap, and a call that fails changes
 * nothing.
 *
 * Hexadecimal digits and base64 take time that depends on the number of bytes
 * only, not on what they are, nor on whether and where they are wrong.
 */
#ifndef SECBUF_TEXT_H
#define SECBUF_TEXT_H

#include <stdarg.h>

#include <secbuf/buffer.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * secbuf_buffer_printf() - add formatted text
 * @buf: the buffer, which grows; no NUL is added
 * @format: text with conversions, of which there are %s %c %d %i %u %x %X %p
 *          and %%, with the flags - and 0, width and precision, * too, and the
 *          sizes hh h l ll z j t
 *
 * Strings must not lie in @buf. A number is passed by its value: the caller has
 * had it in registers, and the compiler may have put it on the stack before.
 *
 * Return: 0; -EINVAL (another conversion), -EMSGSIZE or an error of the source.
 */
int secbuf_buffer_printf(struct secbuf_buffer *buf, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The same with the arguments in a list. */
int secbuf_buffer_vprintf(struct secbuf_buffer *buf, const char *format,
			  va_list args) __attribute__((format(printf, 2, 0)));

/**
 * secbuf_buffer_append_hex() - add bytes as hexadecimal digits
 * @buf: the buffer, which grows
 * @src: the bytes, not in @buf
 * @n: their number; twice as many digits are added, 0 to 9 and a to f
 *
 * Return: 0, -EMSGSIZE or an error of the source.
 */
int secbuf_buffer_append_hex(struct secbuf_buffer *buf, const void *src,
			     size_t n);

/**
 * secbuf_buffer_append_unhex() - add the bytes that digits stand for
 * @buf: the buffer, which grows
 * @digits: hexadecimal digits, upper or lower case, and nothing else; not in
 *          @buf
 * @n: their number
 *
 * Return: 0; -EBADMSG (something else, or an odd number of them), -EMSGSIZE or
 * an error of the source.
 */
int secbuf_buffer_append_unhex(struct secbuf_buffer *buf, const char *digits,
			       size_t n);

/**
 * secbuf_buffer_append_base64() - add bytes in base64
 * @buf: the buffer, which grows
 * @src: the bytes, not in @buf
 * @n: their number
 *
 * The alphabet of RFC 4648, section 4, with padding, without line breaks.
 *
 * Return: 0, -EMSGSIZE or an error of the source.
 */
int secbuf_buffer_append_base64(struct secbuf_buffer *buf, const void *src,
				size_t n);

/**
 * secbuf_buffer_append_unbase64() - add the bytes that base64 stands for
 * @buf: the buffer, which grows
 * @text: base64 with padding and nothing else; not in @buf
 * @n: its length
 *
 * Return: 0; -EBADMSG (it is not what secbuf_buffer_append_base64() makes of
 * any bytes), -EMSGSIZE or an error of the source.
 */
int secbuf_buffer_append_unbase64(struct secbuf_buffer *buf, const char *text,
				  size_t n);

#ifdef __cplusplus
}
#endif

#endif /* SECBUF_TEXT_H */
