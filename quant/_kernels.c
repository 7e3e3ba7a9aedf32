/* Products of float rows with 4-bit weights: the kernels behind quant/int4.py, which says what the
 * packed layout is. A row of activations is rounded to bytes with one scale for 32 of them, the
 * dot products of 32 are integers, and a float32 sum runs over the groups, in the same order
 * whatever the number of rows: a row's result does not depend on its neighbours.
 *
 * The same arithmetic is written three times, for AVX-512 with VNNI, for AVX2 and in plain C; the
 * best that the processor has is chosen when the module is imported.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum {
    GROUP = 32,       /* weights with one scale and minimum */
    PANEL = 16,       /* output channels that lie interleaved */
    CHUNKS = 4,       /* of 64 bytes: 4 low and 4 high numbers of each channel */
    SCALES = 256,     /* byte offsets in a block of PANEL * GROUP weights */
    MINIMA = 288,
    BLOCK = 320,
    LEVELS = 15,
    AHEAD = 4096,     /* bytes: without prefetching, one core reads a third less */
    ROWS = 4,         /* that are multiplied at once */
    TILE = 128,       /* rows that share one unpacking: their sums and activations stay in cache */
    ALONE = 8,        /* rows: fewer are rounded sooner than another thread wakes up */
    SHARES = 8        /* portions of work a thread: a preempted one leaves the rest to the others */
};

static const float ON_GRID = 0.01f; /* steps */

/* Activations, group by group: bytes[groups][rows][GROUP], and for each its scale and the scale
 * times the sum of its bytes, by which the group's minimum is multiplied. */
typedef struct {
    int8_t *bytes;
    float (*factors)[2];
    size_t rows, groups;
} Rounded;

/* Round `GROUP` floats. */
typedef void (*RoundGroup)(const float *x, int8_t *bytes, float *factors);
/* Add the products of `rows` groups of activations with one block: sums[rows][PANEL]. */
typedef void (*AddBlock)(const uint8_t *block, const int8_t *bytes, const float (*factors)[2],
                         size_t rows, float (*sums)[PANEL]);

static float half_to_float(const uint8_t *at)
{
    uint16_t half;
    memcpy(&half, at, 2);
    int exponent = half >> 10 & 31, fraction = half & 1023;
    float size = exponent ? ldexpf((float)(fraction + 1024), exponent - 25)
                          : ldexpf((float)fraction, -24);
    return half & 0x8000 ? -size : size;
}

static void round_group_plain(const float *x, int8_t *bytes, float *factors)
{
    float largest = 0;
    for (int i = 0; i < GROUP; i++)
        largest = fmaxf(largest, fabsf(x[i]));
    float inverse = largest > 0 ? 127 / largest : 0;
    int sum = 0;
    for (int i = 0; i < GROUP; i++)
        sum += bytes[i] = (int8_t)rintf(x[i] * inverse);
    factors[0] = largest / 127;
    factors[1] = factors[0] * (float)sum;
}

static void add_block_plain(const uint8_t *block, const int8_t *bytes, const float (*factors)[2],
                            size_t rows, float (*sums)[PANEL])
{
    for (int channel = 0; channel < PANEL; channel++) {
        int8_t numbers[GROUP];
        for (int i = 0; i < GROUP / 2; i++) {
            uint8_t pair = block[i / 4 * 64 + channel * 4 + i % 4];
            numbers[i] = pair & 15;
            numbers[GROUP / 2 + i] = (int8_t)(pair >> 4);
        }
        float scale = half_to_float(block + SCALES + 2 * channel);
        float minimum = half_to_float(block + MINIMA + 2 * channel);
        for (size_t row = 0; row < rows; row++) {
            int dot = 0;
            for (int i = 0; i < GROUP; i++)
                dot += numbers[i] * bytes[row * GROUP + i];
            sums[row][channel] += (float)dot * (scale * factors[row][0]);
            sums[row][channel] += minimum * factors[row][1];
        }
    }
}

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2,fma,f16c")))
#define VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma,f16c")))

AVX2 static void round_group_avx2(const float *x, int8_t *bytes, float *factors)
{
    const __m256 sign = _mm256_set1_ps(-0.0f);
    __m256 v[4], most = _mm256_setzero_ps();
    for (int i = 0; i < 4; i++) {
        v[i] = _mm256_loadu_ps(x + 8 * i);
        most = _mm256_max_ps(most, _mm256_andnot_ps(sign, v[i]));
    }
    __m128 half = _mm_max_ps(_mm256_castps256_ps128(most), _mm256_extractf128_ps(most, 1));
    half = _mm_max_ps(half, _mm_movehl_ps(half, half));
    float largest = _mm_cvtss_f32(_mm_max_ss(half, _mm_movehdup_ps(half)));
    __m256 inverse = _mm256_set1_ps(largest > 0 ? 127 / largest : 0);
    __m256i n[4];
    for (int i = 0; i < 4; i++)
        n[i] = _mm256_cvtps_epi32(_mm256_mul_ps(v[i], inverse));
    __m256i all = _mm256_add_epi32(_mm256_add_epi32(n[0], n[1]), _mm256_add_epi32(n[2], n[3]));
    __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4e));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xb1));
    factors[0] = largest / 127;
    factors[1] = factors[0] * (float)_mm_cvtsi128_si32(sum);
    __m256i packed = _mm256_packs_epi16(_mm256_packs_epi32(n[0], n[1]),
                                        _mm256_packs_epi32(n[2], n[3]));
    packed = _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    _mm256_storeu_si256((__m256i *)bytes, packed);
}

/* Keeps GCC from gathering all products first, which spills them: a third faster. */
#define IN_REGISTERS(a, b) __asm__("" : "+x"(a), "+x"(b))

/* Four activations, for every channel. */
AVX2 static inline __m256i four(const int8_t *bytes)
{
    int32_t word;
    memcpy(&word, bytes, 4);
    return _mm256_set1_epi32(word);
}

/* From the sums of products in 16 bits to float32, for one row and half a panel. */
AVX2 static inline void add_products(__m256i products, __m256 scale, __m256 minimum,
                                     const float *factors, float *sums)
{
    __m256 dot = _mm256_cvtepi32_ps(_mm256_madd_epi16(products, _mm256_set1_epi16(1)));
    __m256 step = _mm256_mul_ps(scale, _mm256_set1_ps(factors[0]));
    __m256 sum = _mm256_fmadd_ps(dot, step, _mm256_loadu_ps(sums));
    _mm256_storeu_ps(sums, _mm256_fmadd_ps(minimum, _mm256_set1_ps(factors[1]), sum));
}

AVX2 static inline __m256 eight_halves(const uint8_t *at)
{
    return _mm256_cvtph_ps(_mm_loadu_si128((const void *)at));
}

AVX2 static inline void unpack_chunk(const uint8_t *at, __m256i *low, __m256i *high)
{
    const __m256i mask = _mm256_set1_epi8(15);
    __m256i pairs = _mm256_loadu_si256((const void *)at);
    *low = _mm256_and_si256(pairs, mask);
    *high = _mm256_and_si256(_mm256_srli_epi16(pairs, 4), mask);
}

/* A few rows: half a panel at a time, whose 8 vectors of weights stay in registers. The products
 * of 15 and 127 are so small that all 16 of one 16-bit lane can be added there. */
AVX2 static void add_few_avx2(const uint8_t *block, const int8_t *bytes,
                                const float (*factors)[2], size_t rows, float (*sums)[PANEL])
{
    for (int half = 0; half < 2; half++) {
        __m256i w[2 * CHUNKS];
        for (int i = 0; i < CHUNKS; i++)
            unpack_chunk(block + 64 * i + 32 * half, &w[i], &w[CHUNKS + i]);
        __m256 scale = eight_halves(block + SCALES + 16 * half);
        __m256 minimum = eight_halves(block + MINIMA + 16 * half);
        for (size_t row = 0; row < rows; row++) {
            const int8_t *x = bytes + row * GROUP;
            __m256i products = _mm256_maddubs_epi16(w[0], four(x));
            for (int i = 1; i < 2 * CHUNKS; i++)
                products = _mm256_add_epi16(products, _mm256_maddubs_epi16(w[i], four(x + 4 * i)));
            add_products(products, scale, minimum, factors[row], sums[row] + 8 * half);
        }
    }
}

/* Many rows: 4 at a time with the whole panel, so that each vector that is loaded, of weights or
 * activations, is used more than once. */
AVX2 static void add_block_avx2(const uint8_t *block, const int8_t *bytes,
                                const float (*factors)[2], size_t rows, float (*sums)[PANEL])
{
    if (rows < ROWS) {
        add_few_avx2(block, bytes, factors, rows, sums);
        return;
    }
    __m256i left[2 * CHUNKS], right[2 * CHUNKS];
    for (int i = 0; i < CHUNKS; i++) {
        unpack_chunk(block + 64 * i, &left[i], &left[CHUNKS + i]);
        unpack_chunk(block + 64 * i + 32, &right[i], &right[CHUNKS + i]);
    }
    __m256 left_scale = eight_halves(block + SCALES), right_scale = eight_halves(block + SCALES + 16);
    __m256 left_low = eight_halves(block + MINIMA), right_low = eight_halves(block + MINIMA + 16);
    for (; rows >= ROWS; rows -= ROWS, bytes += ROWS * GROUP, factors += ROWS, sums += ROWS) {
        __m256i a[ROWS], b[ROWS];
        for (int row = 0; row < ROWS; row++)
            a[row] = b[row] = _mm256_setzero_si256();
#pragma GCC unroll 8
        for (int i = 0; i < 2 * CHUNKS; i++) {
#pragma GCC unroll 4
            for (int row = 0; row < ROWS; row++) {
                __m256i x = four(bytes + row * GROUP + 4 * i);
                a[row] = _mm256_add_epi16(a[row], _mm256_maddubs_epi16(left[i], x));
                b[row] = _mm256_add_epi16(b[row], _mm256_maddubs_epi16(right[i], x));
                IN_REGISTERS(a[row], b[row]);
            }
        }
#pragma GCC unroll 4
        for (int row = 0; row < ROWS; row++) {
            add_products(a[row], left_scale, left_low, factors[row], sums[row]);
            add_products(b[row], right_scale, right_low, factors[row], sums[row] + PANEL / 2);
        }
    }
    if (rows)
        add_few_avx2(block, bytes, factors, rows, sums);
}

VNNI static inline __m512i four_wide(const int8_t *bytes)
{
    int32_t word;
    memcpy(&word, bytes, 4);
    return _mm512_set1_epi32(word);
}

VNNI static void add_block_vnni(const uint8_t *block, const int8_t *bytes,
                                const float (*factors)[2], size_t rows, float (*sums)[PANEL])
{
    const __m512i low = _mm512_set1_epi8(15);
    __m512i w[2 * CHUNKS];
    for (int i = 0; i < CHUNKS; i++) {
        __m512i pairs = _mm512_loadu_si512(block + 64 * i);
        w[i] = _mm512_and_si512(pairs, low);
        w[CHUNKS + i] = _mm512_and_si512(_mm512_srli_epi16(pairs, 4), low);
    }
    __m512 scale = _mm512_cvtph_ps(_mm256_loadu_si256((const void *)(block + SCALES)));
    __m512 minimum = _mm512_cvtph_ps(_mm256_loadu_si256((const void *)(block + MINIMA)));
    for (size_t row = 0; row < rows; row++) {
        const int8_t *x = bytes + row * GROUP;
        __m512i even = _mm512_setzero_si512(), odd = _mm512_setzero_si512();
        for (int i = 0; i < 2 * CHUNKS; i += 2) {
            even = _mm512_dpbusd_epi32(even, w[i], four_wide(x + 4 * i));
            odd = _mm512_dpbusd_epi32(odd, w[i + 1], four_wide(x + 4 * i + 4));
        }
        __m512 dot = _mm512_cvtepi32_ps(_mm512_add_epi32(even, odd));
        __m512 step = _mm512_mul_ps(scale, _mm512_set1_ps(factors[row][0]));
        __m512 sum = _mm512_loadu_ps(sums[row]);
        sum = _mm512_fmadd_ps(dot, step, sum);
        sum = _mm512_fmadd_ps(minimum, _mm512_set1_ps(factors[row][1]), sum);
        _mm512_storeu_ps(sums[row], sum);
    }
}

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

static const struct Variant {
    const char *name;
    int (*runs_here)(void);
    RoundGroup round_group;
    AddBlock add_block;
} VARIANTS[] = { /* best first */
#if defined(__x86_64__)
    {"avx512-vnni", has_vnni, round_group_avx2, add_block_vnni},
    {"avx2", has_avx2, round_group_avx2, add_block_avx2},
#endif
    {"c", has_c, round_group_plain, add_block_plain},
};

/* One row [in] to bytes; what lies between `in` and the last group's end counts as zeros. */
static void round_row(const struct Variant *variant, const float *x, size_t in, size_t row,
                      const Rounded *to)
{
    for (size_t group = 0; group < to->groups; group++, x += GROUP) {
        size_t at = group * to->rows + row, left = in - group * GROUP;
        float padded[GROUP] = {0};
        if (left < GROUP)
            memcpy(padded, x, left * sizeof *x);
        variant->round_group(left < GROUP ? padded : x, to->bytes + at * GROUP, to->factors[at]);
    }
}

/* The columns of y [rows, out] that belong to one panel. */
static void multiply_panel(const struct Variant *variant, const uint8_t *blocks, const Rounded *x,
                           const float *bias, float *y, size_t width, size_t out)
{
    float sums[TILE][PANEL];
    for (size_t first = 0; first < x->rows; first += TILE) {
        size_t rows = x->rows - first < TILE ? x->rows - first : TILE;
        memset(sums, 0, rows * sizeof *sums);
        for (size_t group = 0; group < x->groups; group++) {
            size_t at = group * x->rows + first;
            for (int line = 0; line < BLOCK; line += 64)
                __builtin_prefetch(blocks + group * BLOCK + AHEAD + line);
            variant->add_block(blocks + group * BLOCK, x->bytes + at * GROUP,
                               (const float(*)[2])x->factors + at, rows, sums);
        }
        for (size_t row = 0; row < rows; row++)
            for (size_t i = 0; i < width; i++)
                y[(first + row) * out + i] = sums[row][i] + (bias ? bias[i] : 0);
    }
}

static void multiply(const struct Variant *variant, const uint8_t *packed, const float *x,
                     const float *bias, float *y, const Rounded *rounded, size_t in, size_t out,
                     int threads)
{
    size_t panels = (out + PANEL - 1) / PANEL;
    size_t share = panels / ((size_t)threads * SHARES) + 1;
#pragma omp parallel for num_threads(threads) if (rounded->rows >= ALONE)
    for (size_t row = 0; row < rounded->rows; row++)
        round_row(variant, x + row * in, in, row, rounded);
#pragma omp parallel for num_threads(threads) schedule(dynamic, share)
    for (size_t panel = 0; panel < panels; panel++) {
        size_t first = panel * PANEL, width = out - first < PANEL ? out - first : PANEL;
        multiply_panel(variant, packed + panel * rounded->groups * BLOCK, rounded,
                       bias ? bias + first : NULL, y + first, width, out);
    }
}

static uint16_t float_to_half(float value)
{
    uint32_t word, rounded, exponent;
    memcpy(&word, &value, 4);
    exponent = word << 1 & 0xff000000u;
    if (exponent < 0x71000000u)
        exponent = 0x71000000u; /* below the normal halves all have one exponent */
    exponent = (exponent >> 1) + 0x07800000u;
    float aligner;
    memcpy(&aligner, &exponent, 4);
    aligner += fabsf(value) * 0x1p112f * 0x1p-110f; /* the addition rounds; the product overflows */
    memcpy(&rounded, &aligner, 4);
    uint32_t half = (rounded >> 13 & 0x7c00) + (rounded & 0x0fff);
    return (uint16_t)(word >> 16 & 0x8000) | (uint16_t)half;
}

static int round_up_half(float value)
{
    return (int)(value + 0.5f);
}

/* Steps between the smallest and the largest weight: as many as there can be, or fewer if all
 * weights lie on those. */
static int count_steps(const float *weights, float low, float span)
{
    for (int levels = LEVELS; span > 0 && levels > 1; levels--) {
        int i = 0;
        for (; i < GROUP; i++) {
            float at = (weights[i] - low) / span * (float)levels;
            if (fabsf(at - (float)round_up_half(at)) > ON_GRID)
                break;
        }
        if (i == GROUP)
            return levels;
    }
    return LEVELS;
}

static void pack_group(const float *weights, uint8_t *block, int channel)
{
    float low = weights[0], high = weights[0];
    for (int i = 1; i < GROUP; i++) {
        low = weights[i] < low ? weights[i] : low;
        high = weights[i] > high ? weights[i] : high;
    }
    uint16_t minimum = float_to_half(low);
    uint16_t scale = float_to_half((high - low) / (float)count_steps(weights, low, high - low));
    memcpy(block + SCALES + 2 * channel, &scale, 2);
    memcpy(block + MINIMA + 2 * channel, &minimum, 2);
    float step = half_to_float(block + SCALES + 2 * channel);
    float inverse = step > 0 ? 1 / step : 0;
    low = half_to_float(block + MINIMA + 2 * channel);
    uint8_t numbers[GROUP];
    for (int i = 0; i < GROUP; i++) {
        int number = round_up_half((weights[i] - low) * inverse);
        numbers[i] = (uint8_t)(number < 0 ? 0 : number > LEVELS ? LEVELS : number);
    }
    for (int i = 0; i < GROUP / 2; i++)
        block[i / 4 * 64 + channel * 4 + i % 4] =
            (uint8_t)(numbers[i] | numbers[GROUP / 2 + i] << 4);
}

/* weight [out, in] into panels; channels that fill up the last one are zeros, and weights that
 * fill up a channel's last group repeat its last, which widens no range. */
static void pack(const float *weight, uint8_t *packed, size_t in, size_t out, int threads)
{
    size_t groups = (in + GROUP - 1) / GROUP, channels = (out + PANEL - 1) / PANEL * PANEL;
#pragma omp parallel for num_threads(threads) schedule(dynamic, PANEL)
    for (size_t channel = 0; channel < channels; channel++)
        for (size_t group = 0; group < groups; group++) {
            float weights[GROUP] = {0};
            for (size_t i = 0; i < GROUP && channel < out; i++) {
                size_t column = group * GROUP + i;
                weights[i] = weight[channel * in + (column < in ? column : in - 1)];
            }
            pack_group(weights, packed + (channel / PANEL * groups + group) * BLOCK,
                       (int)(channel % PANEL));
        }
}

static PyObject *py_pack(PyObject *module, PyObject *args)
{
    (void)module;
    unsigned long long weight, packed;
    Py_ssize_t out, in;
    int threads;
    if (!PyArg_ParseTuple(args, "KKnni:pack", &weight, &packed, &out, &in, &threads))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    pack((const float *)(uintptr_t)weight, (uint8_t *)(uintptr_t)packed, (size_t)in, (size_t)out,
         threads);
    Py_END_ALLOW_THREADS
    Py_RETURN_NONE;
}

static PyObject *py_matmul(PyObject *module, PyObject *args)
{
    (void)module;
    const char *name;
    unsigned long long packed, x, bias, y;
    Py_ssize_t rows, in, out;
    int threads;
    if (!PyArg_ParseTuple(args, "sKKKKnnni:matmul", &name, &packed, &x, &bias, &y, &rows, &in,
                          &out, &threads))
        return NULL;
    const struct Variant *variant = VARIANTS;
    const struct Variant *end = VARIANTS + sizeof VARIANTS / sizeof *VARIANTS;
    while (variant < end && (strcmp(variant->name, name) != 0 || !variant->runs_here()))
        variant++;
    if (variant == end)
        return PyErr_Format(PyExc_ValueError, "no kernel '%s' runs here", name);
    size_t groups = ((size_t)in + GROUP - 1) / GROUP, count = groups * (size_t)rows;
    Rounded rounded = {malloc(count * GROUP), malloc(count * sizeof(float[2])), (size_t)rows, groups};
    if (rounded.bytes && rounded.factors) {
        Py_BEGIN_ALLOW_THREADS
        multiply(variant, (const uint8_t *)(uintptr_t)packed, (const float *)(uintptr_t)x,
                 (const float *)(uintptr_t)bias, (float *)(uintptr_t)y, &rounded, (size_t)in,
                 (size_t)out, threads);
        Py_END_ALLOW_THREADS
    }
    int failed = !rounded.bytes || !rounded.factors;
    free(rounded.bytes);
    free(rounded.factors);
    if (failed)
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

static PyObject *py_variants(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    PyObject *names = PyList_New(0);
    for (size_t i = 0; names && i < sizeof VARIANTS / sizeof *VARIANTS; i++) {
        PyObject *name = VARIANTS[i].runs_here() ? PyUnicode_FromString(VARIANTS[i].name) : NULL;
        if (name && PyList_Append(names, name))
            Py_CLEAR(names);
        Py_XDECREF(name);
    }
    return names;
}

static PyMethodDef METHODS[] = {
    {"matmul", py_matmul, METH_VARARGS, NULL},
    {"pack", py_pack, METH_VARARGS, NULL},
    {"variants", py_variants, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef MODULE = {PyModuleDef_HEAD_INIT, "quant._kernels", NULL, -1, METHODS,
                                    NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__kernels(void)
{
    return PyModule_Create(&MODULE);
}
