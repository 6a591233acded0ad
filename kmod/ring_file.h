/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_RING_FILE_H
#define SECBUF_RING_FILE_H

struct file;
struct secbuf_ring_end;
struct secbuf_ring_handle;

extern const struct secbuf_command secbuf_ring_create_command;

struct file *secbuf_ring_file_create(struct secbuf_ring_end *end);
struct secbuf_ring_handle *secbuf_ring_handle_from_file(struct file *file);

#endif /* SECBUF_RING_FILE_H */
