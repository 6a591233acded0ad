// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1-or-later OR MIT
/*
 * Contracts of the cursor, proved by Frama-C's WP over its source as it stands:
 * no call reads or writes out of bounds or overflows, the cursor stays whole, and
 * a call that fails changes nothing.
 */
#include "../codec/cursor.c"

#include "spec.h"

/*
 * whole: pos <= len <= size, and as many bytes as that may be touched.
 * kept: nothing about the cursor is other than it was.
 * same_place: it is over the same bytes.
 */

/*@ predicate whole{L}(struct secbuf_cursor *c) =
	\valid(c) &&
	c->pos <= c->len <= c->size && c->high <= c->size &&
	(c->size > 0 ==> \valid(c->data + (0 .. c->size - 1))) &&
	\separated(c, c->data + (0 .. c->size - 1));

    predicate same_place{A,B}(struct secbuf_cursor *c) =
	\at(c->data, A) == \at(c->data, B) &&
	\at(c->size, A) == \at(c->size, B);

    predicate kept{A,B}(struct secbuf_cursor *c) =
	same_place{A,B}(c) &&
	\at(c->len, A) == \at(c->len, B) &&
	\at(c->pos, A) == \at(c->pos, B) &&
	\at(c->high, A) == \at(c->high, B);
*/

/*@ requires \valid(cur) && (size > 0 ==> \valid((unsigned char *)data +
						 (0 .. size - 1))) &&
	     \separated(cur, (unsigned char *)data + (0 .. size - 1));
    assigns *cur;
    ensures whole(cur) && cur->size == size && cur->len == 0;
*/
static inline void secbuf_cursor_init(struct secbuf_cursor *cur, void *data,
				      size_t size);

/*@ requires \valid(cur) && (len > 0 ==> \valid((unsigned char *)data +
						(0 .. len - 1))) &&
	     \separated(cur, (unsigned char *)data + (0 .. len - 1));
    assigns *cur;
    ensures whole(cur) && cur->size == len && cur->len == len;
*/
static inline void secbuf_cursor_init_filled(struct secbuf_cursor *cur,
					     void *data, size_t len);

/*@ requires whole(cur);
    assigns \nothing;
    ensures \result == cur->len - cur->pos;
*/
static inline size_t secbuf_cursor_remaining(const struct secbuf_cursor *cur);

/*@ requires whole(cur);
    assigns \nothing;
    ensures \result == cur->size - cur->pos;
*/
static inline size_t secbuf_cursor_space(const struct secbuf_cursor *cur);

/*@ requires whole(cur);
    assigns \nothing;
    ensures \result >= cur->len && \result >= cur->high &&
	    \result <= cur->size;
*/
static inline size_t secbuf_cursor_dirty(const struct secbuf_cursor *cur);

/*@ requires whole(cur);
    assigns \nothing;
    ensures \result == cur->data + cur->pos;
*/
static inline unsigned char *
__secbuf_cursor_here(const struct secbuf_cursor *cur);

/*@ requires whole(cur);
    assigns \nothing;
    ensures \result == cur->data + cur->pos;
    ensures readable(\result, cur->len - cur->pos);
*/
static inline const unsigned char *
secbuf_cursor_ptr(const struct secbuf_cursor *cur);

/*@ requires whole(cur);
    assigns cur->high;
    ensures whole(cur) && same_place{Pre,Post}(cur);
    ensures cur->high >= \old(cur->high);
    ensures n > cur->size - cur->pos ==>
	    \result == \null && kept{Pre,Post}(cur);
    ensures n <= cur->size - cur->pos ==>
	    \result == cur->data + cur->pos &&
	    (n > 0 ==> \valid(\result + (0 .. n - 1))) &&
	    cur->high >= cur->pos + n;
*/
static inline unsigned char *secbuf_cursor_window(struct secbuf_cursor *cur,
						  size_t n);

/*@ requires whole(cur);
    assigns cur->pos, cur->len;
    ensures whole(cur) && same_place{Pre,Post}(cur);
    ensures \result == 0 || kept{Pre,Post}(cur);
    ensures \result == 0 <==> n <= cur->size - \old(cur->pos);
    ensures \result == 0 ==> cur->pos == \old(cur->pos) + n;
*/
static inline int secbuf_cursor_advance(struct secbuf_cursor *cur, size_t n);

/*@ requires whole(cur);
    assigns cur->pos;
    ensures whole(cur);
    ensures \result == 0 <==> pos <= cur->len;
    ensures \result == 0 ? cur->pos == pos : kept{Pre,Post}(cur);
*/
static inline int secbuf_cursor_set_pos(struct secbuf_cursor *cur, size_t pos);

/*@ requires whole(cur);
    assigns cur->len, cur->high;
    ensures whole(cur);
    ensures \result == 0 ? cur->len == len && cur->high >= \old(cur->len) &&
			   cur->high >= \old(cur->high) :
			   kept{Pre,Post}(cur);
*/
static inline int secbuf_cursor_set_len(struct secbuf_cursor *cur, size_t len);

/*@ requires whole(cur);
    assigns cur->len;
    ensures whole(cur);
    ensures \result == 0 ? cur->len == \old(cur->len) + n :
			   kept{Pre,Post}(cur);
*/
static inline int secbuf_cursor_extend(struct secbuf_cursor *cur, size_t n);

/*@ requires whole(cur);
    assigns cur->pos;
    ensures whole(cur);
    ensures \result == 0 <==> n <= cur->len - \old(cur->pos);
    ensures \result == 0 ? cur->pos == \old(cur->pos) + n :
			   kept{Pre,Post}(cur);
*/
static inline int secbuf_cursor_skip(struct secbuf_cursor *cur, size_t n);

/*@ requires whole(cur);
    assigns cur->pos;
    ensures whole(cur);
    ensures \result == 0 <==> n <= \old(cur->pos);
    ensures \result == 0 ? cur->pos == \old(cur->pos) - n :
			   kept{Pre,Post}(cur);
*/
static inline int secbuf_cursor_rewind(struct secbuf_cursor *cur, size_t n);

/*@ requires \valid(p + (0 .. 3));
    assigns p[0 .. 3];
*/
static inline void __secbuf_cursor_store_u32(unsigned char *p, uint32_t value);

/*@ requires \valid_read(p + (0 .. 3));
    assigns \nothing;
*/
static inline uint32_t __secbuf_cursor_load_u32(const unsigned char *p);

/*@ requires whole(cur);
    assigns \nothing;
    ensures \result <==> cur->size - cur->pos >= n;
*/
static inline _Bool __secbuf_cursor_fits(const struct secbuf_cursor *cur,
					 size_t n);

/*@ requires whole(cur) && n <= cur->size - cur->pos;
    assigns cur->pos, cur->len;
    ensures whole(cur) && same_place{Pre,Post}(cur);
    ensures \result == \old(cur->data + cur->pos);
    ensures n > 0 ==> \valid(\result + (0 .. n - 1));
    ensures cur->pos == \old(cur->pos) + n;
    ensures cur->len >= \old(cur->len);
*/
static inline unsigned char *__secbuf_cursor_put(struct secbuf_cursor *cur,
						 size_t n);

/*@ requires whole(cur) && n <= cur->len - cur->pos;
    assigns cur->pos;
    ensures whole(cur);
    ensures \result == \old(cur->data + cur->pos);
    ensures readable(\result, n);
    ensures cur->pos == \old(cur->pos) + n;
*/
static inline const unsigned char *
__secbuf_cursor_get(struct secbuf_cursor *cur, size_t n);

/* Put: what fits moves the position by so much, what does not changes nothing. */

/*@ requires whole(cur);
    assigns cur->pos, cur->len, cur->data[cur->pos];
    ensures whole(cur) && same_place{Pre,Post}(cur);
    ensures \result == 0 <==> cur->size - \old(cur->pos) >= 1;
    ensures \result == 0 ? cur->pos == \old(cur->pos) + 1 :
			   kept{Pre,Post}(cur);
*/
static inline int secbuf_cursor_put_u8(struct secbuf_cursor *cur,
				       uint8_t value);

/*@ requires whole(cur);
    assigns cur->pos, cur->len, cur->data[cur->pos];
    ensures whole(cur) && same_place{Pre,Post}(cur);
    ensures \result == 0 || kept{Pre,Post}(cur);
*/
static inline int secbuf_cursor_put_bool(struct secbuf_cursor *cur,
					 _Bool value);

/*@ requires whole(cur);
    assigns cur->pos, cur->len, cur->data[cur->pos .. cur->pos + 3];
    ensures whole(cur) && same_place{Pre,Post}(cur);
    ensures \result == 0 <==> cur->size - \old(cur->pos) >= 4;
    ensures \result == 0 ? cur->pos == \old(cur->pos) + 4 :
			   kept{Pre,Post}(cur);
*/
static inline int secbuf_cursor_put_u32(struct secbuf_cursor *cur,
					uint32_t value);

/*@ requires whole(cur);
    assigns cur->pos, cur->len, cur->data[cur->pos .. cur->pos + 7];
    ensures whole(cur) && same_place{Pre,Post}(cur);
    ensures \result == 0 <==> cur->size - \old(cur->pos) >= 8;
    ensures \result == 0 ? cur->pos == \old(cur->pos) + 8 :
			   kept{Pre,Post}(cur);
*/
static inline int secbuf_cursor_put_u64(struct secbuf_cursor *cur,
					uint64_t value);

/*@ requires whole(cur) && readable((unsigned char *)src, n);
    assigns cur->pos, cur->len, cur->data[cur->pos .. cur->pos + n - 1];
    ensures whole(cur) && same_place{Pre,Post}(cur);
    ensures \result == 0 <==> cur->size - \old(cur->pos) >= n;
    ensures \result == 0 ? cur->pos == \old(cur->pos) + n :
			   kept{Pre,Post}(cur);
*/
static inline int secbuf_cursor_put_bytes(struct secbuf_cursor *cur,
					  const void *src, size_t n);

/*@ requires whole(cur) && readable((unsigned char *)src, n);
    assigns cur->pos, cur->len, cur->data[cur->pos .. cur->pos + n + 3];
    ensures whole(cur) && same_place{Pre,Post}(cur);
    ensures \result == 0 ==> n <= max && n <= 0xffffffff &&
			     cur->size - \old(cur->pos) >= n + 4;
    ensures \result == 0 ? cur->pos == \old(cur->pos) + n + 4 :
			   kept{Pre,Post}(cur);
*/
static inline int secbuf_cursor_put_string_max(struct secbuf_cursor *cur,
					       size_t max, const void *src,
					       size_t n);

/*@ requires whole(cur) && readable((unsigned char *)src, n);
    assigns cur->pos, cur->len, cur->data[cur->pos .. cur->pos + n + 3];
    ensures whole(cur) && same_place{Pre,Post}(cur);
    ensures \result == 0 || kept{Pre,Post}(cur);
*/
static inline int secbuf_cursor_put_string(struct secbuf_cursor *cur,
					   const void *src, size_t n);

/*@ requires \valid(number) && \valid(n) && \separated(number, n) &&
	     readable(*number, *n);
    assigns *number, *n;
    ensures \result == 0 || \result == 1;
    ensures *n <= \old(*n) && *number == \old(*number) + (\old(*n) - *n);
    ensures \result == 1 ==> *n > 0;
*/
static inline size_t __secbuf_mpint_strip(const unsigned char **number,
					  size_t *n);

/*@ requires whole(cur) && readable((unsigned char *)src, n);
    assigns cur->pos, cur->len, cur->data[cur->pos .. cur->size - 1];
    ensures whole(cur) && same_place{Pre,Post}(cur);
    ensures \result == 0 || kept{Pre,Post}(cur);
*/
int secbuf_cursor_put_mpint(struct secbuf_cursor *cur, const void *src,
			    size_t n);

/* Peek and get. */

/*@ requires whole(cur) && \valid(out);
    assigns *out;
    ensures \result == 0 <==> cur->len - cur->pos >= 1;
    ensures \result != 0 ==> *out == \old(*out);
*/
static inline int secbuf_cursor_peek_u8(const struct secbuf_cursor *cur,
					uint8_t *out);

/*@ requires whole(cur) && \valid(out) && \separated(out, cur);
    assigns *out;
    ensures \result == 0 <==> cur->len - cur->pos >= 4;
    ensures \result != 0 ==> *out == \old(*out);
*/
static inline int secbuf_cursor_peek_u32(const struct secbuf_cursor *cur,
					 uint32_t *out);

/*@ requires whole(cur) && \valid(out) && \separated(out, cur);
    assigns cur->pos, *out;
    ensures whole(cur);
    ensures \result == 0 <==> cur->len - \old(cur->pos) >= 1;
    ensures \result == 0 ? cur->pos == \old(cur->pos) + 1 :
			   kept{Pre,Post}(cur) && *out == \old(*out);
*/
static inline int secbuf_cursor_get_u8(struct secbuf_cursor *cur,
				       uint8_t *out);

/*@ requires whole(cur) && \valid(out) && \separated(out, cur);
    assigns cur->pos, *out;
    ensures whole(cur);
    ensures \result == 0 || kept{Pre,Post}(cur) && *out == \old(*out);
*/
static inline int secbuf_cursor_get_bool(struct secbuf_cursor *cur,
					 _Bool *out);

/*@ requires whole(cur) && \valid(out) && \separated(out, cur);
    assigns cur->pos, *out;
    ensures whole(cur);
    ensures \result == 0 <==> cur->len - \old(cur->pos) >= 4;
    ensures \result == 0 ? cur->pos == \old(cur->pos) + 4 :
			   kept{Pre,Post}(cur) && *out == \old(*out);
*/
static inline int secbuf_cursor_get_u32(struct secbuf_cursor *cur,
					uint32_t *out);

/*@ requires whole(cur) && \valid(out) && \separated(out, cur);
    assigns cur->pos, *out;
    ensures whole(cur);
    ensures \result == 0 <==> cur->len - \old(cur->pos) >= 8;
    ensures \result == 0 ? cur->pos == \old(cur->pos) + 8 :
			   kept{Pre,Post}(cur) && *out == \old(*out);
*/
static inline int secbuf_cursor_get_u64(struct secbuf_cursor *cur,
					uint64_t *out);

/*@ requires whole(cur) &&
	     (n > 0 ==> \valid((unsigned char *)dst + (0 .. n - 1)));
    assigns cur->pos, ((unsigned char *)dst)[0 .. n - 1];
    ensures whole(cur);
    ensures \result == 0 <==> cur->len - \old(cur->pos) >= n;
    ensures \result == 0 ? cur->pos == \old(cur->pos) + n :
			   kept{Pre,Post}(cur);
*/
static inline int secbuf_cursor_get_bytes(struct secbuf_cursor *cur, void *dst,
					  size_t n);

/*@ requires whole(cur) && \valid(out) && \separated(out, cur);
    assigns cur->pos, *out;
    ensures whole(cur);
    ensures \result == 0 <==> cur->len - \old(cur->pos) >= n;
    ensures \result == 0 ? cur->pos == \old(cur->pos) + n && readable(*out, n) :
			   kept{Pre,Post}(cur) && *out == \old(*out);
*/
static inline int secbuf_cursor_get_view(struct secbuf_cursor *cur, size_t n,
					 const unsigned char **out);

/*@ requires whole(cur) && \valid(out) && \valid(len) &&
	     \separated(out, len, cur);
    assigns cur->pos, *out, *len;
    ensures whole(cur);
    ensures \result == 0 ?
	    *len <= max && readable(*out, *len) &&
	    cur->pos == \old(cur->pos) + 4 + *len :
	    kept{Pre,Post}(cur) && *out == \old(*out) && *len == \old(*len);
*/
static inline int secbuf_cursor_get_string_max(struct secbuf_cursor *cur,
					       size_t max,
					       const unsigned char **out,
					       size_t *len);

/*@ requires whole(cur) && \valid(out) && \valid(len) &&
	     \separated(out, len, cur);
    assigns cur->pos, *out, *len;
    ensures whole(cur);
    ensures \result == 0 ?
	    *len <= 400000 && readable(*out, *len) &&
	    cur->pos == \old(cur->pos) + 4 + *len :
	    kept{Pre,Post}(cur) && *out == \old(*out) && *len == \old(*len);
*/
static inline int secbuf_cursor_get_string(struct secbuf_cursor *cur,
					   const unsigned char **out,
					   size_t *len);

/*@ requires whole(cur);
    assigns cur->pos;
    ensures whole(cur);
    ensures \result == 0 || kept{Pre,Post}(cur);
*/
static inline int secbuf_cursor_skip_string(struct secbuf_cursor *cur);

/*@ requires whole(cur) && \valid(out) && \valid(len) &&
	     \separated(out, len, cur);
    assigns cur->pos, *out, *len;
    ensures whole(cur);
    ensures \result == 0 ?
	    *len <= 400000 && readable(*out, *len) :
	    kept{Pre,Post}(cur) && *out == \old(*out) && *len == \old(*len);
*/
int secbuf_cursor_get_text(struct secbuf_cursor *cur,
			   const unsigned char **out, size_t *len);

/*@ requires whole(cur) && \valid(out) && \valid(len) &&
	     \separated(out, len, cur);
    assigns cur->pos, *out, *len;
    ensures whole(cur);
    ensures \result == 0 ?
	    *len <= 400000 && readable(*out, *len) :
	    kept{Pre,Post}(cur) && *out == \old(*out) && *len == \old(*len);
*/
int secbuf_cursor_get_mpint(struct secbuf_cursor *cur,
			    const unsigned char **out, size_t *len);
