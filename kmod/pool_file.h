/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_POOL_FILE_H
#define SECBUF_POOL_FILE_H

struct file;
struct secbuf_command;
struct secbuf_area;

extern const struct secbuf_command secbuf_pool_create;

struct secbuf_area *secbuf_area_from_file(struct file *file);
int secbuf_pool_file_check(struct file *file);

#endif /* SECBUF_POOL_FILE_H */
