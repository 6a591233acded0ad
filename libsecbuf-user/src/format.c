// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Formatted text, straight into a buffer. The functions of the C library put
 * numbers together on the stack and copy strings through vector registers.
 *
 * The text is gone through twice: to learn how long it is, and to write it.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/types.h>

#include <secbuf/text.h>

/* More than what the functions here have on the stack. */
#define SECBUF_FORMAT_STACK	2048

/**
 * struct secbuf_format_out - where text goes
 * @to: its next byte, or NULL to count only
 * @len: bytes so far
 * @max: most bytes
 */
struct secbuf_format_out {
	unsigned char *to;
	size_t len;
	size_t max;
};

/**
 * struct secbuf_format_spec - one conversion
 * @left: pad at the right
 * @zero: pad with zeros
 * @width: at least so many bytes
 * @precision: at most so many bytes of a string, at least so many digits; -1 if
 *             not given
 * @size: 'H' for hh, 'L' for ll, or the letter, or 0
 * @conversion: the letter at the end
 */
struct secbuf_format_spec {
	bool left;
	bool zero;
	int width;
	int precision;
	char size;
	char conversion;
};

/* So that a list can be passed on, whatever it is. */
struct secbuf_format_args {
	va_list list;
};

static int secbuf_format_fill(struct secbuf_format_out *out, int c, size_t n)
{
	if (n > out->max - out->len)
		return -EMSGSIZE;
	out->len += n;
	if (out->to) {
		memset(out->to, c, n);
		out->to += n;
	}
	return 0;
}

static int secbuf_format_bytes(struct secbuf_format_out *out, const char *src,
			       size_t n)
{
	if (n > out->max - out->len)
		return -EMSGSIZE;
	out->len += n;
	if (out->to) {
		secbuf_memory_copy(out->to, src, n);
		out->to += n;
	}
	return 0;
}

/* @n digits of a number, from the last to the first. */
static int secbuf_format_digits(struct secbuf_format_out *out, uint64_t value,
				unsigned int base, char ten, size_t n)
{
	size_t i;

	if (n > out->max - out->len)
		return -EMSGSIZE;
	out->len += n;
	if (!out->to)
		return 0;
	for (i = n; i--; value /= base)
		out->to[i] = value % base < 10 ? '0' + value % base :
						 ten + value % base - 10;
	out->to += n;
	return 0;
}

/* Not strlen(), which reads into vector registers. */
static size_t secbuf_format_strlen(const char *s, int max)
{
	size_t n = 0;

	while ((max < 0 || n < (size_t)max) && s[n]) {
		n++;
		__asm__ volatile("" : "+r" (n));
	}
	return n;
}

static int secbuf_format_string(struct secbuf_format_out *out,
				const struct secbuf_format_spec *spec,
				const char *s, size_t n)
{
	size_t pad = (size_t)spec->width > n ? (size_t)spec->width - n : 0;
	int err = 0;

	if (!spec->left)
		err = secbuf_format_fill(out, ' ', pad);
	if (!err)
		err = secbuf_format_bytes(out, s, n);
	if (!err && spec->left)
		err = secbuf_format_fill(out, ' ', pad);
	return err;
}

static int secbuf_format_number(struct secbuf_format_out *out,
				const struct secbuf_format_spec *spec,
				uint64_t value, const char *sign)
{
	bool hex = spec->conversion != 'd' && spec->conversion != 'u';
	char ten = spec->conversion == 'X' ? 'A' : 'a';
	size_t sign_len = strlen(sign), zeros = 0, pad = 0, n = 0;
	uint64_t rest;
	int err;

	for (rest = value; rest; rest /= hex ? 16 : 10)
		n++;
	if (spec->precision < 0 && !n)
		n = 1;
	if (spec->precision > 0 && (size_t)spec->precision > n)
		zeros = (size_t)spec->precision - n;
	if ((size_t)spec->width > sign_len + zeros + n)
		pad = (size_t)spec->width - sign_len - zeros - n;
	if (spec->zero && !spec->left && spec->precision < 0) {
		zeros += pad;
		pad = 0;
	}

	err = secbuf_format_fill(out, ' ', spec->left ? 0 : pad);
	if (!err)
		err = secbuf_format_bytes(out, sign, sign_len);
	if (!err)
		err = secbuf_format_fill(out, '0', zeros);
	if (!err)
		err = secbuf_format_digits(out, value, hex ? 16 : 10, ten, n);
	if (!err)
		err = secbuf_format_fill(out, ' ', spec->left ? pad : 0);
	return err;
}

static int64_t secbuf_format_signed(const struct secbuf_format_spec *spec,
				    struct secbuf_format_args *args)
{
	switch (spec->size) {
	case 'H':
		return (signed char)va_arg(args->list, int);
	case 'h':
		return (short)va_arg(args->list, int);
	case 'l':
		return va_arg(args->list, long);
	case 'L':
		return va_arg(args->list, long long);
	case 'j':
		return va_arg(args->list, intmax_t);
	case 'z':
		return va_arg(args->list, ssize_t);
	case 't':
		return va_arg(args->list, ptrdiff_t);
	default:
		return va_arg(args->list, int);
	}
}

static uint64_t secbuf_format_unsigned(const struct secbuf_format_spec *spec,
				       struct secbuf_format_args *args)
{
	switch (spec->size) {
	case 'H':
		return (unsigned char)va_arg(args->list, int);
	case 'h':
		return (unsigned short)va_arg(args->list, int);
	case 'l':
		return va_arg(args->list, unsigned long);
	case 'L':
		return va_arg(args->list, unsigned long long);
	case 'j':
		return va_arg(args->list, uintmax_t);
	case 'z':
		return va_arg(args->list, size_t);
	case 't':
		return (size_t)va_arg(args->list, ptrdiff_t);
	default:
		return va_arg(args->list, unsigned int);
	}
}

/* A number in the format, or * for an argument. */
static int secbuf_format_count(const char **format,
			       struct secbuf_format_args *args, int *out)
{
	const char *p = *format;
	int n = 0;

	if (*p == '*') {
		*out = va_arg(args->list, int);
		*format = p + 1;
		return 0;
	}
	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, *p - '0', &n))
			return -EINVAL;
	*format = p;
	*out = n;
	return 0;
}

static void secbuf_format_size(const char **format,
			       struct secbuf_format_spec *spec)
{
	const char *p = *format;

	spec->size = 0;
	if (*p && strchr("hlzjt", *p)) {
		spec->size = *p++;
		if (spec->size == 'h' && *p == 'h') {
			spec->size = 'H';
			p++;
		} else if (spec->size == 'l' && *p == 'l') {
			spec->size = 'L';
			p++;
		}
	}
	*format = p;
}

/* What follows a %. */
static int secbuf_format_parse(const char **format,
			       struct secbuf_format_args *args,
			       struct secbuf_format_spec *spec)
{
	int err;

	memset(spec, 0, sizeof(*spec));
	spec->precision = -1;
	for (; **format == '-' || **format == '0'; (*format)++) {
		spec->left |= **format == '-';
		spec->zero |= **format == '0';
	}
	err = secbuf_format_count(format, args, &spec->width);
	if (err || spec->width == INT_MIN)
		return -EINVAL;
	if (spec->width < 0) {
		spec->left = true;
		spec->width = -spec->width;
	}
	if (**format == '.') {
		(*format)++;
		err = secbuf_format_count(format, args, &spec->precision);
		if (err)
			return err;
	}
	secbuf_format_size(format, spec);
	spec->conversion = **format;
	if (!spec->conversion)
		return -EINVAL;
	(*format)++;
	return 0;
}

static int secbuf_format_convert(struct secbuf_format_out *out,
				 struct secbuf_format_spec *spec,
				 struct secbuf_format_args *args)
{
	const char *s;
	int64_t number;
	char c;

	switch (spec->conversion) {
	case '%':
		return secbuf_format_fill(out, '%', 1);
	case 'c':
		if (spec->size)
			return -EINVAL;
		c = (char)va_arg(args->list, int);
		return secbuf_format_string(out, spec, &c, 1);
	case 's':
		if (spec->size)
			return -EINVAL;
		s = va_arg(args->list, const char *);
		s = s ? s : "(null)";
		return secbuf_format_string(out, spec, s,
			secbuf_format_strlen(s, spec->precision));
	case 'd':
	case 'i':
		spec->conversion = 'd';
		number = secbuf_format_signed(spec, args);
		return secbuf_format_number(out, spec, number < 0 ?
					    -(uint64_t)number : (uint64_t)number,
					    number < 0 ? "-" : "");
	case 'u':
	case 'x':
	case 'X':
		return secbuf_format_number(out, spec,
			secbuf_format_unsigned(spec, args), "");
	case 'p':
		return secbuf_format_number(out, spec,
			(uintptr_t)va_arg(args->list, void *), "0x");
	default:
		return -EINVAL;
	}
}

static int secbuf_format_run(struct secbuf_format_out *out, const char *format,
			     struct secbuf_format_args *args)
{
	struct secbuf_format_spec spec;
	const char *begin;
	int err = 0;

	while (*format && !err) {
		begin = format;
		while (*format && *format != '%')
			format++;
		err = secbuf_format_bytes(out, begin, format - begin);
		if (err || !*format)
			break;
		format++;
		err = secbuf_format_parse(&format, args, &spec);
		if (!err)
			err = secbuf_format_convert(out, &spec, args);
	}
	return err;
}

/* What the calls before have left below: numbers. */
__attribute__((noinline))
static void secbuf_format_clean_stack(void)
{
	unsigned char bytes[SECBUF_FORMAT_STACK];

	__secbuf_zeroize(bytes, sizeof(bytes));
}

/*
 * As many bytes as the first time. Who can write to a string that is printed may
 * have made it longer or shorter since.
 */
static int secbuf_format_again(struct secbuf_format_out *out,
			       const char *format, va_list list)
{
	struct secbuf_format_args args;
	int err;

	out->max = out->len;
	out->len = 0;
	va_copy(args.list, list);
	err = secbuf_format_run(out, format, &args);
	va_end(args.list);
	return !err && out->len != out->max ? -EMSGSIZE : err;
}

int secbuf_buffer_vprintf(struct secbuf_buffer *buf, const char *format,
			  va_list list)
{
	struct secbuf_format_out out = { .max = SIZE_MAX };
	struct secbuf_format_args args;
	size_t n;
	int err;

	va_copy(args.list, list);
	err = secbuf_format_run(&out, format, &args);
	va_end(args.list);
	n = out.len;
	if (!err)
		err = secbuf_buffer_reserve(buf, n);
	if (!err && n) {
		out.to = buf->cur.data + buf->cur.len;
		err = secbuf_format_again(&out, format, list);
		if (err)
			__secbuf_zeroize(buf->cur.data + buf->cur.len, n);
		else
			buf->cur.len += n;
	}
	secbuf_format_clean_stack();
	return err;
}

int secbuf_buffer_printf(struct secbuf_buffer *buf, const char *format, ...)
{
	va_list list;
	int err;

	va_start(list, format);
	err = secbuf_buffer_vprintf(buf, format, list);
#ifdef __x86_64__
	/* Where the arguments in registers were put to be listed. */
	__secbuf_zeroize(list[0].reg_save_area, 6 * sizeof(uint64_t));
#endif
	va_end(list);
	return err;
}
