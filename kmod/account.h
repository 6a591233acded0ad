/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_ACCOUNT_H
#define SECBUF_ACCOUNT_H

#include <linux/gfp.h>
#include <linux/types.h>

/*
 * For everything that user space can ask for. Without RETRY_MAYFAIL a full
 * memory cgroup would have its OOM killer run instead of failing the call.
 */
#define SECBUF_GFP	(GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | \
			 __GFP_NOWARN)

struct mem_cgroup;
struct secbuf_user;

/**
 * struct secbuf_account - who pays for the memory of one object
 * @user: bytes of this user count against max_user_bytes
 * @memcg: memory cgroup of the creator, charged by the page allocator
 */
struct secbuf_account {
	struct secbuf_user *user;
	struct mem_cgroup *memcg;
};

/**
 * struct secbuf_account_info - ceilings and usage, in bytes
 * @max: of all users
 * @max_user: of one user
 * @used: by all users
 * @used_user: by the calling user
 */
struct secbuf_account_info {
	u64 max;
	u64 max_user;
	u64 used;
	u64 used_user;
};

int secbuf_account_init(struct secbuf_account *account);
void secbuf_account_exit(struct secbuf_account *account);
int secbuf_account_charge(struct secbuf_account *account, size_t bytes);
void secbuf_account_uncharge(struct secbuf_account *account, size_t bytes);
bool secbuf_account_is_full(void);
void secbuf_account_get_info(struct secbuf_account_info *info);

#endif /* SECBUF_ACCOUNT_H */
