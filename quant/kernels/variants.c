/* The same arithmetic, written for AVX-512 with VNNI, for AVX2 and in plain C. */
#include <string.h>

#include "variant.h"

#if defined(__x86_64__)
static int has_vnni(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
}

static int has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#endif

static int has_c(void)
{
    return 1;
}

static const Variant VARIANTS[] = { /* best first */
#if defined(__x86_64__)
    {"avx512-vnni", has_vnni, round_group_avx2, sum_int4_vnni, sum_int6_vnni, sum_int8_vnni,
     sum_q4_k_vnni, sum_q6_k_vnni},
    {"avx2", has_avx2, round_group_avx2, sum_int4_avx2, sum_int6_avx2, sum_int8_avx2,
     sum_q4_k_avx2, sum_q6_k_avx2},
#endif
    {"c", has_c, round_group_plain, sum_int4_plain, sum_int6_plain, sum_int8_plain,
     sum_q4_k_plain, sum_q6_k_plain},
};

static const Variant *const END = VARIANTS + sizeof VARIANTS / sizeof *VARIANTS;

const Variant *find_variant(const char *name)
{
    for (const Variant *variant = VARIANTS; variant < END; variant++)
        if ((!*name || strcmp(variant->name, name) == 0) && variant->runs_here())
            return variant;
    return NULL;
}

const char *variant_name(size_t index)
{
    for (const Variant *variant = VARIANTS; variant < END; variant++)
        if (variant->runs_here() && index-- == 0)
            return variant->name;
    return NULL;
}
