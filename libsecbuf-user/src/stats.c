// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Rates from counters. Those of one moment need not fit each other exactly
 * while the pool is used, so no rate is believed that is above 1.
 */
#include "internal.h"

static double secbuf_ratio(uint64_t part, uint64_t whole)
{
	if (!whole)
		return 0;
	return part < whole ? (double)part / (double)whole : 1;
}

double secbuf_stats_hit_rate(const struct secbuf_pool_stats_args *stats)
{
	if (!stats)
		return 0;
	return secbuf_ratio(stats->out_magazine_hits + stats->out_depot_hits,
			    stats->out_acquired);
}

double secbuf_stats_cache_hit_rate(const struct secbuf_pool_stats_args *stats)
{
	if (!stats)
		return 0;
	return secbuf_ratio(stats->out_magazine_hits, stats->out_acquired);
}

double secbuf_stats_pool_hit_rate(const struct secbuf_pool_stats_args *stats)
{
	if (!stats || stats->out_acquired < stats->out_magazine_hits)
		return 0;
	return secbuf_ratio(stats->out_depot_hits,
			    stats->out_acquired - stats->out_magazine_hits);
}
