// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1-or-later OR MIT
#include "../../codec/buffer.c"
