// SPDX-License-Identifier: GPL-2.0
/*
 * Ceilings: bytes of one user, and bytes of all users. The memory cgroup is
 * charged besides, by the allocators.
 */
#include "account.h"

#include <linux/cred.h>
#include <linux/hashtable.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

static unsigned long max_bytes;
module_param(max_bytes, ulong, 0644);
MODULE_PARM_DESC(max_bytes,
		 "ceiling on the bytes of all users (0: a quarter of the RAM)");

static unsigned long max_user_bytes;
module_param(max_user_bytes, ulong, 0644);
MODULE_PARM_DESC(max_user_bytes,
		 "ceiling on the bytes of one user id (0: an eighth of the RAM)");

/**
 * struct secbuf_user - bytes of one user
 * @node: in users
 * @uid: the user
 * @refs: accounts of this user
 * @bytes: charged now
 */
struct secbuf_user {
	struct hlist_node node;
	kuid_t uid;
	refcount_t refs;
	atomic_long_t bytes;
};

/* Protects users and the first and last reference of each. A leaf. */
static DEFINE_SPINLOCK(users_lock);
static DEFINE_HASHTABLE(users, 6);

static atomic_long_t all_bytes;

static unsigned long ceiling(const unsigned long *param, unsigned int ram_shift)
{
	/* An administrator can write it at any time. */
	unsigned long max = READ_ONCE(*param);

	if (!max)
		max = (totalram_pages() >> ram_shift) << PAGE_SHIFT;
	return min_t(unsigned long, max, LONG_MAX);
}

static unsigned long ceiling_all(void)
{
	return ceiling(&max_bytes, 2);
}

static unsigned long ceiling_user(void)
{
	return ceiling(&max_user_bytes, 3);
}

static struct secbuf_user *user_find(kuid_t uid)
{
	struct secbuf_user *user;

	lockdep_assert_held(&users_lock);
	hash_for_each_possible(users, user, node, __kuid_val(uid))
		if (uid_eq(user->uid, uid))
			return user;
	return NULL;
}

/* The user, or @fresh as him if he has no account yet. */
static struct secbuf_user *user_get_or_add(kuid_t uid,
					   struct secbuf_user *fresh)
{
	struct secbuf_user *user;

	spin_lock(&users_lock);
	user = user_find(uid);
	if (user) {
		refcount_inc(&user->refs);
	} else if (fresh) {
		user = fresh;
		user->uid = uid;
		refcount_set(&user->refs, 1);
		hash_add(users, &user->node, __kuid_val(uid));
	}
	spin_unlock(&users_lock);
	return user;
}

static struct secbuf_user *user_get(kuid_t uid)
{
	struct secbuf_user *user, *fresh;

	user = user_get_or_add(uid, NULL);
	if (user)
		return user;
	fresh = kzalloc(sizeof(*fresh), SECBUF_GFP);
	if (!fresh)
		return NULL;
	user = user_get_or_add(uid, fresh);
	if (user != fresh)
		kfree(fresh);
	return user;
}

static void user_put(struct secbuf_user *user)
{
	bool last;

	spin_lock(&users_lock);
	last = refcount_dec_and_test(&user->refs);
	if (last)
		hash_del(&user->node);
	spin_unlock(&users_lock);
	if (!last)
		return;
	WARN_ON_ONCE(atomic_long_read(&user->bytes));
	kfree(user);
}

/**
 * secbuf_account_init() - account of the calling user and memory cgroup
 * @account: initialized on success
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int secbuf_account_init(struct secbuf_account *account)
{
	account->user = user_get(current_uid());
	if (!account->user)
		return -ENOMEM;
	account->memcg = get_mem_cgroup_from_mm(current->mm);
	return 0;
}

/**
 * secbuf_account_exit() - everything charged must have been uncharged
 * @account: from secbuf_account_init()
 *
 * Context: process; also inside of reclaim.
 */
void secbuf_account_exit(struct secbuf_account *account)
{
	mem_cgroup_put(account->memcg);
	user_put(account->user);
}

static bool charge(atomic_long_t *counter, long bytes, long max)
{
	long old = atomic_long_read(counter);

	do {
		if (old > max || bytes > max - old)
			return false;
	} while (!atomic_long_try_cmpxchg(counter, &old, old + bytes));
	return true;
}

/**
 * secbuf_account_charge() - count bytes against the ceilings
 * @account: who pays
 * @bytes: how many; to be given back by secbuf_account_uncharge()
 *
 * Context: any.
 * Return: 0, -EDQUOT (ceiling of the user), -ENOMEM (ceiling of all users).
 */
int secbuf_account_charge(struct secbuf_account *account, size_t bytes)
{
	if (bytes > LONG_MAX)
		return -ENOMEM;
	if (!charge(&account->user->bytes, bytes, ceiling_user()))
		return -EDQUOT;
	if (!charge(&all_bytes, bytes, ceiling_all())) {
		atomic_long_sub(bytes, &account->user->bytes);
		return -ENOMEM;
	}
	return 0;
}

/**
 * secbuf_account_uncharge() - give charged bytes back
 * @account: who was charged
 * @bytes: how many
 *
 * Context: any.
 */
void secbuf_account_uncharge(struct secbuf_account *account, size_t bytes)
{
	atomic_long_sub(bytes, &all_bytes);
	atomic_long_sub(bytes, &account->user->bytes);
}

/**
 * secbuf_account_is_full() - is there no page left under the ceiling of all?
 *
 * Context: any.
 */
bool secbuf_account_is_full(void)
{
	unsigned long max = ceiling_all();
	unsigned long used = atomic_long_read(&all_bytes);

	return used > max || max - used < PAGE_SIZE;
}

/**
 * secbuf_account_get_info() - ceilings and usage now
 * @info: filled
 *
 * Context: process, may sleep.
 */
void secbuf_account_get_info(struct secbuf_account_info *info)
{
	struct secbuf_user *user;

	info->max = ceiling_all();
	info->max_user = ceiling_user();
	info->used = atomic_long_read(&all_bytes);

	spin_lock(&users_lock);
	user = user_find(current_uid());
	info->used_user = user ? atomic_long_read(&user->bytes) : 0;
	spin_unlock(&users_lock);
}
