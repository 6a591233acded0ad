/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_MMAP_H
#define SECBUF_MMAP_H

#include <linux/fs.h>
#include <linux/mm.h>

struct file *secbuf_mmap_file(const char *name,
			      const struct file_operations *fops, void *priv);
void secbuf_mmap_file_release(void);
int secbuf_mmap_may_split(struct vm_area_struct *vma, unsigned long addr);
int secbuf_mmap_mremap(struct vm_area_struct *vma);
int secbuf_mmap_prepare(struct vm_area_struct *vma, pgoff_t nr_pages,
			const struct vm_operations_struct *ops);
int secbuf_mmap_read_only(struct vm_area_struct *vma);
int secbuf_mmap_once(struct vm_area_struct *vma, atomic_t *nr);
void secbuf_mmap_open(struct vm_area_struct *vma);
void secbuf_mmap_close(struct vm_area_struct *vma);
vm_fault_t secbuf_mmap_insert(struct vm_fault *vmf, struct page *page);
void secbuf_mmap_unmap(struct file *file, pgoff_t first, pgoff_t nr);

#endif /* SECBUF_MMAP_H */
