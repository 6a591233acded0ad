// SPDX-License-Identifier: GPL-2.0
/*
 * The only place that maps pages of secrets into a process.
 *
 * The recipe: vmf_insert_pfn() into VM_PFNMAP | VM_IO | VM_DONTEXPAND |
 * VM_DONTDUMP | VM_DONTCOPY. Its entries are special, which get_user_pages_fast
 * refuses, and the flags make everything else refuse: ptrace, /proc/PID/mem,
 * process_vm_readv, O_DIRECT, vmsplice, io_uring buffers, core dumps, fork,
 * KSM, userfaultfd, NUMA migration. VM_IO is needed besides VM_PFNMAP, because
 * MADV_DOFORK up to 6.12 refuses that one only. vm_ops has neither ->name,
 * which would put the mapping into core dumps, nor ->access, which would give
 * it to ptrace.
 */
#include "mmap.h"

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>

#define SECBUF_FS_MAGIC	0x73656362	/* "secb" */

static struct vfsmount *secbuf_mount;
static int secbuf_mount_count;

static int secbuf_fs_init_context(struct fs_context *fc)
{
	if (!init_pseudo(fc, SECBUF_FS_MAGIC))
		return -ENOMEM;
	fc->s_iflags |= SB_I_NOEXEC | SB_I_NODEV;
	return 0;
}

static struct file_system_type secbuf_fs_type = {
	.owner		 = THIS_MODULE,
	.name		 = "secbuf",
	.init_fs_context = secbuf_fs_init_context,
	.kill_sb	 = kill_anon_super,
};

/**
 * secbuf_mmap_file() - an open file with an inode of its own
 * @name: shown in /proc/PID/maps and /proc/PID/fd
 * @fops: its ->release must call secbuf_mmap_file_release()
 * @priv: private_data
 *
 * The anonymous inode would not do: it is one for all, and to unmap a range of
 * it would unmap other drivers' files.
 *
 * Context: process, may sleep.
 * Return: the file, or an error pointer: -ENOMEM, -ENFILE.
 */
struct file *secbuf_mmap_file(const char *name,
			      const struct file_operations *fops, void *priv)
{
	struct inode *inode;
	struct file *file;
	int err;

	err = simple_pin_fs(&secbuf_fs_type, &secbuf_mount,
			    &secbuf_mount_count);
	if (err)
		return ERR_PTR(err);

	inode = alloc_anon_inode(secbuf_mount->mnt_sb);
	if (IS_ERR(inode)) {
		file = ERR_CAST(inode);
		goto out_release;
	}
	/* The last fput puts this reference. */
	__module_get(fops->owner);
	file = alloc_file_pseudo(inode, secbuf_mount, name, O_RDWR, fops);
	if (IS_ERR(file)) {
		module_put(fops->owner);
		iput(inode);
		goto out_release;
	}
	file->private_data = priv;
	return file;

out_release:
	simple_release_fs(&secbuf_mount, &secbuf_mount_count);
	return file;
}

/**
 * secbuf_mmap_file_release() - undo what secbuf_mmap_file() holds
 *
 * Context: ->release of a file made by it.
 */
void secbuf_mmap_file_release(void)
{
	simple_release_fs(&secbuf_mount, &secbuf_mount_count);
}

/**
 * secbuf_mmap_may_split() - ->may_split of every mapping: as a whole or not
 * @vma: the mapping
 * @addr: where it would be split
 */
int secbuf_mmap_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	return -EINVAL;
}

/**
 * secbuf_mmap_mremap() - ->mremap of every mapping: it stays where it is
 * @vma: the mapping
 */
int secbuf_mmap_mremap(struct vm_area_struct *vma)
{
	return -EINVAL;
}

/**
 * secbuf_mmap_prepare() - check and set up a new mapping
 * @vma: the mapping
 * @nr_pages: the length that it must have; the offset is the caller's matter
 * @ops: ->fault, and functions of this file
 *
 * A private mapping is refused: its copies would be ordinary memory, and a
 * copy-on-write VM_PFNMAP mapping is a kernel BUG.
 *
 * Context: ->mmap.
 * Return: 0 or -EINVAL.
 */
int secbuf_mmap_prepare(struct vm_area_struct *vma, pgoff_t nr_pages,
			const struct vm_operations_struct *ops)
{
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (vma_pages(vma) != nr_pages)
		return -EINVAL;
	vm_flags_set(vma, VM_PFNMAP | VM_IO | VM_DONTEXPAND | VM_DONTDUMP |
			  VM_DONTCOPY);
	vm_flags_clear(vma, VM_MAYEXEC);
	vma->vm_ops = ops;
	return 0;
}

/**
 * secbuf_mmap_read_only() - a mapping that can never be written to
 * @vma: passed secbuf_mmap_prepare()
 *
 * Context: ->mmap.
 * Return: 0 or -EPERM.
 */
int secbuf_mmap_read_only(struct vm_area_struct *vma)
{
	if (vma->vm_flags & VM_WRITE)
		return -EPERM;
	vm_flags_clear(vma, VM_MAYWRITE);
	return 0;
}

/**
 * secbuf_mmap_once() - there is no other mapping like this one
 * @vma: passed secbuf_mmap_prepare(), with whatever else can refuse it
 * @nr: of such mappings, which lives as long as the file. It is two while the
 *      kernel tries to move one
 *
 * Who unmaps a page, be it for the others of a pool or inside of reclaim, looks
 * for it in all mappings.
 *
 * Context: ->mmap.
 * Return: 0 or -EBUSY.
 */
int secbuf_mmap_once(struct vm_area_struct *vma, atomic_t *nr)
{
	if (atomic_cmpxchg(nr, 0, 1))
		return -EBUSY;
	vma->vm_private_data = nr;
	return 0;
}

/**
 * secbuf_mmap_open() - ->open of every mapping
 * @vma: the mapping
 */
void secbuf_mmap_open(struct vm_area_struct *vma)
{
	atomic_inc(vma->vm_private_data);
}

/**
 * secbuf_mmap_close() - ->close of every mapping
 * @vma: the mapping
 */
void secbuf_mmap_close(struct vm_area_struct *vma)
{
	atomic_dec(vma->vm_private_data);
}

/**
 * secbuf_mmap_insert() - answer a fault
 * @vmf: the fault
 * @page: what lies there, or NULL
 *
 * Context: ->fault, under the lock that keeps @page where it is.
 * Return: VM_FAULT_NOPAGE, VM_FAULT_OOM or VM_FAULT_SIGBUS.
 */
vm_fault_t secbuf_mmap_insert(struct vm_fault *vmf, struct page *page)
{
	if (!page)
		return VM_FAULT_SIGBUS;
	return vmf_insert_pfn(vmf->vma, vmf->address, page_to_pfn(page));
}

/**
 * secbuf_mmap_unmap() - remove pages from every address space
 * @file: from secbuf_mmap_file(), or NULL: an object that is being made dies
 * @first: index of the first page
 * @nr: number of pages; 0: to the end
 *
 * Context: process, may sleep, under the lock that keeps faults away; also
 * inside of reclaim.
 */
void secbuf_mmap_unmap(struct file *file, pgoff_t first, pgoff_t nr)
{
	if (!file)
		return;
	unmap_mapping_range(file->f_mapping, (loff_t)first << PAGE_SHIFT,
			    (loff_t)nr << PAGE_SHIFT, 1);
}
