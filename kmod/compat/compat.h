/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What kernels since 6.1 lack or spell otherwise. Included by force ahead of
 * every file, so that the sources read as those of the newest kernel; the only
 * place for version checks.
 */
#ifndef SECBUF_COMPAT_H
#define SECBUF_COMPAT_H

#include <linux/mm.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}

static inline void vm_flags_clear(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags &= ~flags;
}
#endif

#endif /* SECBUF_COMPAT_H */
