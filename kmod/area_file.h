/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_AREA_FILE_H
#define SECBUF_AREA_FILE_H

struct file;
struct secbuf_call;
struct secbuf_member;

int secbuf_area_file_create(struct secbuf_call *call);
struct secbuf_member *secbuf_member_from_file(struct file *file);
int secbuf_area_file_check(struct file *file);
int secbuf_area_file_check_poll(struct file *file);
void secbuf_area_file_flush(struct file *file);

#endif /* SECBUF_AREA_FILE_H */
