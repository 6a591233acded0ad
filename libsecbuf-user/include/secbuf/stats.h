/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Rates, from the counters of a pool, from 0 to 1; 0 before there is anything
 * to tell, and for NULL.
 */
#ifndef SECBUF_STATS_H
#define SECBUF_STATS_H

#include <linux/secbuf.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * secbuf_stats_hit_rate() - of the buffers acquired, how many were at hand
 * @stats: counters
 *
 * Return: magazine and depot hits, divided by buffers acquired.
 */
double secbuf_stats_hit_rate(const struct secbuf_pool_stats_args *stats);

/**
 * secbuf_stats_cache_hit_rate() - how many came from what a CPU keeps
 * @stats: counters
 *
 * Return: magazine hits, divided by buffers acquired.
 */
double secbuf_stats_cache_hit_rate(const struct secbuf_pool_stats_args *stats);

/**
 * secbuf_stats_pool_hit_rate() - of the others, how many were in the depot
 * @stats: counters
 *
 * Return: depot hits, divided by buffers acquired that were no magazine hits.
 */
double secbuf_stats_pool_hit_rate(const struct secbuf_pool_stats_args *stats);

#ifdef __cplusplus
}
#endif

#endif /* SECBUF_STATS_H */
