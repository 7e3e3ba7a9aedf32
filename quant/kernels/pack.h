/* Packing, on threads of OpenMP's. */
#ifndef CARET_PACK_H
#define CARET_PACK_H

#include <stddef.h>
#include <stdint.h>

/* weight [out, in] into the panels of a kind. */
void pack(int kind, const float *weight, uint8_t *packed, size_t in, size_t out, int threads);
/* The blocks of a GGUF file, stored [out, in], into the panels of Q4_K or Q6_K; `in` is a multiple of
 * 256. */
void interleave(int kind, const uint8_t *stored, uint8_t *packed, size_t in, size_t out,
                int threads);

#endif
