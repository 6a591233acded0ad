// SPDX-License-Identifier: GPL-2.0
/*
 * A module that keeps a secret in a buffer of secbuf. To be copied from.
 *
 * Through /sys/kernel/debug/secbuf_sample, for root:
 *
 *	echo -n 'swordfish' >secbuf_sample	keeps a secret
 *	cat secbuf_sample			shows it
 *	: >secbuf_sample			forgets it (writing nothing, too)
 *
 * All that has to be known is in <linux/secbuf.h>: a pool, made once; a buffer,
 * allocated when there is a secret and put when there is not. Whoever puts the
 * last reference has the bytes zeroized; nothing here overwrites anything.
 */
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <linux/secbuf.h>

#define SAMPLE_SECRET_MAX	1000

/**
 * struct sample_secret - a secret in use
 * @sb: where its bytes are
 * @len: how many they are. A buffer knows how many bytes it has room for, but
 *       not how many are meaningful
 * @refs: the module, and everybody who is reading it
 */
struct sample_secret {
	struct secbuf *sb;
	size_t len;
	struct kref refs;
};

static struct secbuf_pool *pool;
static struct dentry *file;

/* Protects secret, the pointer; the bytes behind it do not change. */
static DEFINE_MUTEX(secret_lock);
static struct sample_secret *secret;

static void secret_free(struct kref *refs)
{
	struct sample_secret *old =
		container_of(refs, struct sample_secret, refs);

	secbuf_put(old->sb);
	kfree(old);
}

static void secret_put(struct sample_secret *old)
{
	if (old)
		kref_put(&old->refs, secret_free);
}

static struct sample_secret *secret_get(void)
{
	struct sample_secret *found;

	mutex_lock(&secret_lock);
	found = secret;
	if (found)
		kref_get(&found->refs);
	mutex_unlock(&secret_lock);
	return found;
}

/* Takes over the caller's reference to @new, which may be NULL. */
static void secret_replace(struct sample_secret *new)
{
	struct sample_secret *old;

	mutex_lock(&secret_lock);
	old = secret;
	secret = new;
	mutex_unlock(&secret_lock);
	secret_put(old);
}

static struct sample_secret *secret_from_user(const char __user *from,
					      size_t len)
{
	struct sample_secret *new;
	void *window;
	int err;

	new = kmalloc(sizeof(*new), GFP_KERNEL);
	if (!new)
		return ERR_PTR(-ENOMEM);

	/*
	 * GFP_ATOMIC would do as well, where sleeping is not allowed. NULL can
	 * mean that the pool's maximum is reached: secbuf_pool_alloc_wait()
	 * would wait until a buffer comes back.
	 */
	new->sb = secbuf_pool_alloc(pool, GFP_KERNEL);
	if (!new->sb) {
		err = -ENOMEM;
		goto out_free;
	}

	/*
	 * The bytes go straight to where they stay: a copy on the stack or in
	 * a kmalloc() block would have to be cleaned up by us. A window bears
	 * in mind how much of the buffer may have been written, so it is cheap
	 * to release a large buffer with little in it.
	 */
	window = secbuf_window(new->sb, 0, len);
	if (!window) {
		err = -EMSGSIZE;
		goto out_put;
	}
	if (copy_from_user(window, from, len)) {
		err = -EFAULT;
		goto out_put;
	}
	new->len = len;
	kref_init(&new->refs);
	return new;

out_put:
	/* Zeroizes what had been copied when the rest could not be. */
	secbuf_put(new->sb);
out_free:
	kfree(new);
	return ERR_PTR(err);
}

static ssize_t sample_write(struct file *filp, const char __user *from,
			    size_t len, loff_t *pos)
{
	struct sample_secret *new = NULL;

	/* A secret is written at once: it has no parts that could follow. */
	if (*pos)
		return -EINVAL;
	if (len) {
		new = secret_from_user(from, len);
		if (IS_ERR(new))
			return PTR_ERR(new);
	}
	secret_replace(new);
	return len;
}

static ssize_t sample_read(struct file *filp, char __user *to, size_t len,
			   loff_t *pos)
{
	struct sample_secret *found = secret_get();
	ssize_t ret;

	if (!found)
		return 0;
	/*
	 * There is no lock to hold: the reference keeps the bytes, even if
	 * somebody writes another secret meanwhile. Whoever is last zeroizes.
	 */
	ret = simple_read_from_buffer(to, len, pos,
				      secbuf_window(found->sb, 0, found->len),
				      found->len);
	secret_put(found);
	return ret;
}

static int sample_open(struct inode *inode, struct file *filp)
{
	if (filp->f_flags & O_TRUNC)
		secret_replace(NULL);
	return 0;
}

static const struct file_operations sample_fops = {
	.owner	= THIS_MODULE,
	.open	= sample_open,
	.read	= sample_read,
	.write	= sample_write,
	.llseek	= default_llseek,
};

static int __init sample_init(void)
{
	const struct secbuf_pool_params params = {
		.name = "sample",
		.buf_size = SAMPLE_SECRET_MAX,
		.min = 1,	/* there when memory is short */
		.max = 8,
	};

	pool = secbuf_pool_create(&params);
	if (IS_ERR(pool))
		return PTR_ERR(pool);

	file = debugfs_create_file("secbuf_sample", 0600, NULL, NULL,
				   &sample_fops);
	if (IS_ERR(file)) {
		secbuf_pool_destroy(pool);
		return PTR_ERR(file);
	}
	return 0;
}

static void __exit sample_exit(void)
{
	debugfs_remove(file);
	secret_replace(NULL);
	secbuf_pool_destroy(pool);
}

module_init(sample_init);
module_exit(sample_exit);

MODULE_DESCRIPTION("Sample user of secbuf: keeps a secret");
MODULE_AUTHOR("secbuf maintainers");
MODULE_LICENSE("GPL");
