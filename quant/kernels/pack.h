/* Packing, on threads of OpenMP's. */
#ifndef CARET_PACK_H
#define CARET_PACK_H

#include <stddef.h>
#include <stdint.h>

/* weight [out, in] into panels; channels that fill up the last one are zeros, and weights that
 * fill up a channel's last group repeat its last, which widens no range. */
void pack_int4(const float *weight, uint8_t *packed, size_t in, size_t out, int threads);

#endif
