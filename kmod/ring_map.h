/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_RING_MAP_H
#define SECBUF_RING_MAP_H

struct file;
struct vm_area_struct;

int secbuf_ring_mmap(struct file *file, struct vm_area_struct *vma);

#endif /* SECBUF_RING_MAP_H */
