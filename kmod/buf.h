/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_BUF_H
#define SECBUF_BUF_H

#include <linux/compiler.h>
#include <linux/math.h>
#include <linux/refcount.h>
#include <linux/string.h>
#include <linux/types.h>

#include <linux/secbuf.h>

/**
 * struct secbuf - a buffer in the kernel
 * @data: an object of a size class
 * @pool: where it belongs; its account pays
 * @size: bytes that may be used
 * @dirty: bytes from the start that may be other than zero. Raised before a
 *         byte can change, lowered when the last reference is gone, since
 *         pointers into the buffer live as long
 * @refs: references; 0 while the buffer is parked
 * @class: index of the size class
 * @detached: left the count of its pool
 * @shared: there has been more than one reference since it was handed out. Set
 *          by the only holder before there is another; while it is not set,
 *          nobody else can see the buffer, and no atomic operation is needed
 * @special: @detached and @shared in one load
 */
struct secbuf {
	void *data;
	struct secbuf_pool *pool;
	u32 size;
	u32 dirty;
	refcount_t refs;
	u8 class;
	union {
		struct {
			bool detached;
			bool shared;
		};
		u16 special;
	};
};

int secbuf_buf_init(void);
void secbuf_buf_exit(void);
int secbuf_buf_class(size_t size);
size_t secbuf_buf_footprint(unsigned int class);
u64 secbuf_buf_bytes(void);
struct secbuf *secbuf_buf_alloc(unsigned int class, u32 size, gfp_t gfp);
void secbuf_buf_free(struct secbuf *sb);

/*
 * memzero_explicit(), but faster: a loop for short spans, for which rep stosb
 * takes two to three times as long to get going, and rep stosq for long ones,
 * which not every memset() is. Neither can be optimized away: the stores of the
 * loop are volatile, and the other has a barrier. An object consists of whole
 * lines of eight words, so that there is room for the last.
 */
static __always_inline void secbuf_buf_zeroize(void *data, size_t len)
{
	u64 *end = data + len;
	u64 *p;

	if (len >= 1024) {
		memset64(data, 0, DIV_ROUND_UP(len, sizeof(u64)));
		barrier_data(data);
		return;
	}
	for (p = data; p < end; p += 8) {
		WRITE_ONCE(p[0], 0);
		WRITE_ONCE(p[1], 0);
		WRITE_ONCE(p[2], 0);
		WRITE_ONCE(p[3], 0);
		WRITE_ONCE(p[4], 0);
		WRITE_ONCE(p[5], 0);
		WRITE_ONCE(p[6], 0);
		WRITE_ONCE(p[7], 0);
	}
}

/* The last reference is gone: zeroize. Returns how many bytes that was. */
static inline u32 secbuf_buf_clean(struct secbuf *sb)
{
	u32 dirty = sb->dirty;

	if (dirty) {
		secbuf_buf_zeroize(sb->data, dirty);
		sb->dirty = 0;
	}
	return dirty;
}

#endif /* SECBUF_BUF_H */
