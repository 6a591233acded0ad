// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include "internal.h"

const char *secbuf_version(void)
{
	return SECBUF_VERSION;
}
