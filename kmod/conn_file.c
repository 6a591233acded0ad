// SPDX-License-Identifier: GPL-2.0
/*
 * A conn as user space sees it. It cannot be mapped, so the anonymous inode
 * will do, and there can be many.
 */
#include "conn_file.h"

#include <linux/anon_inodes.h>
#include <linux/build_bug.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>

#include <uapi/linux/secbuf.h>

#include "account.h"
#include "area_file.h"
#include "conn.h"
#include "dev.h"
#include "member.h"

/**
 * struct conn_file - a conn and its descriptor
 * @conn: the conn, which lives as long as its file
 * @pool_file: pinned; the owner of the pool is the owner of the conn
 */
struct conn_file {
	struct secbuf_conn conn;
	struct file *pool_file;
};

static int run_buffer(struct secbuf_call *call)
{
	struct conn_file *cf = call->file->private_data;
	struct secbuf_conn_buffer_args *args = call->args;
	int err;

	BUILD_BUG_ON((int)SECBUF_CONN_BUFFER_READ != SECBUF_CONN_READ);
	BUILD_BUG_ON((int)SECBUF_CONN_BUFFER_WRITE != SECBUF_CONN_WRITE);

	if (args->flags)
		return -EOPNOTSUPP;
	if (args->__reserved)
		return -EINVAL;
	/* A buffer that is granted stays granted, so ask if we can reply. */
	err = secbuf_call_reply(call);
	if (err)
		return err;
	err = secbuf_conn_buffer(&cf->conn, args->which, &args->out_id);
	if (err)
		return err;
	args->out_slot_size = cf->conn.member->area->slots.size;
	return secbuf_call_reply(call);
}

static int run_zeroize(struct secbuf_call *call)
{
	struct conn_file *cf = call->file->private_data;
	struct secbuf_conn_zeroize_args *args = call->args;

	if (args->flags)
		return -EOPNOTSUPP;
	secbuf_conn_zeroize(&cf->conn);
	return 0;
}

static const struct secbuf_command conn_commands[] = {
	SECBUF_COMMAND(SECBUF_IOC_CONN_BUFFER, struct secbuf_conn_buffer_args,
		       SECBUF_CONN_BUFFER_ARGS_SIZE_VER0, run_buffer),
	SECBUF_COMMAND(SECBUF_IOC_CONN_ZEROIZE, struct secbuf_conn_zeroize_args,
		       SECBUF_CONN_ZEROIZE_ARGS_SIZE_VER0, run_zeroize),
};

static int conn_check(struct file *file)
{
	struct conn_file *cf = file->private_data;

	return secbuf_area_file_check(cf->pool_file);
}

static long conn_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	const struct secbuf_command *command;
	int err;

	command = secbuf_command_find(conn_commands, ARRAY_SIZE(conn_commands),
				      cmd);
	if (!command)
		return -ENOTTY;
	err = conn_check(file);
	if (err)
		return err;
	return secbuf_command_run(command, file, arg);
}

static __poll_t conn_poll(struct file *file, poll_table *wait)
{
	return conn_check(file) ? EPOLLERR : 0;
}

static int conn_release(struct inode *inode, struct file *file)
{
	struct conn_file *cf = file->private_data;

	secbuf_conn_exit(&cf->conn);
	fput(cf->pool_file);
	kfree(cf);
	atomic_dec(&secbuf_nr_conns);
	return 0;
}

static const struct file_operations conn_fops = {
	.owner		= THIS_MODULE,
	.release	= conn_release,
	.unlocked_ioctl	= conn_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.poll		= conn_poll,
};

static struct file *conn_file_create(struct file *pool_file)
{
	struct conn_file *cf;
	struct file *file;
	int err;

	cf = kzalloc(sizeof(*cf), SECBUF_GFP);
	if (!cf)
		return ERR_PTR(-ENOMEM);
	err = secbuf_conn_init(&cf->conn, secbuf_member_from_file(pool_file));
	if (err)
		goto out_kfree;
	file = anon_inode_getfile("[secbuf-conn]", &conn_fops, cf, O_RDWR);
	if (IS_ERR(file)) {
		err = PTR_ERR(file);
		goto out_conn;
	}
	/* From here on the file's ->release frees all this. */
	cf->pool_file = get_file(pool_file);
	atomic_inc(&secbuf_nr_conns);
	return file;

out_conn:
	secbuf_conn_exit(&cf->conn);
out_kfree:
	kfree(cf);
	return ERR_PTR(err);
}

static int run_create(struct secbuf_call *call)
{
	struct secbuf_conn_create_args *args = call->args;
	struct file *pool_file, *file;
	int err;

	if (args->flags)
		return -EOPNOTSUPP;
	pool_file = fget(args->pool_fd);
	if (!pool_file)
		return -EBADF;
	err = -EINVAL;
	if (!secbuf_member_from_file(pool_file))
		goto out_fput;
	err = secbuf_area_file_check(pool_file);
	if (err)
		goto out_fput;
	file = conn_file_create(pool_file);
	err = IS_ERR(file) ? PTR_ERR(file) :
	      secbuf_call_publish(call, file, &args->out_fd);
out_fput:
	fput(pool_file);
	return err;
}

const struct secbuf_command secbuf_conn_create_command =
	SECBUF_COMMAND(SECBUF_IOC_CONN_CREATE, struct secbuf_conn_create_args,
		       SECBUF_CONN_CREATE_ARGS_SIZE_VER0, run_create);
