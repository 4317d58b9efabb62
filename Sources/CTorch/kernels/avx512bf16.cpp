#include "kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>
#include <cmath>

#define CT_WIDTH 16
#define CT_BF16 1
#pragma clang attribute push(                                                                     \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma,f16c"))),            \
    apply_to = function)
namespace ct::kernels::avx512bf16 {
// A copy of everything for these instructions alone: linkers merge what has the same name.
namespace {
#include "vectors.h"
#include "softmax.h"
#include "normalization.h"
#include "activations.h"
#include "channels.h"
#include "quantized.h"

/// Attention by products of pairs in bfloat16, summed up in float32.
///
/// Keys are packed in tiles, pair of channels by pair; values in pairs of tokens.
struct PairAttention {
  /// Vectors of a packed tile, and rows, that a core holds in its registers.
  static constexpr int columns = 4;
  static constexpr int rows = 6;
  static constexpr int64_t tile = columns * 16;
  static constexpr int64_t chunk = 512;
  using Pair = uint32_t;
  using Packed = Pair;

  static int64_t padded(int64_t count) { return (count + tile - 1) / tile * tile; }

  static int64_t packedBytes(int64_t count, int64_t size) {
    return padded(count) * size * static_cast<int64_t>(sizeof(bf16));
  }

  /// Transposes 16 rows of 16 pairs, those from `count` on being zero.
  static void transpose(const Pair *from, int64_t stride, int64_t count, Pair *to) {
    __m512i a[16], b[16];
    for (int i = 0; i < 16; ++i) {
      a[i] = i < count ? _mm512_loadu_si512(from + i * stride) : _mm512_setzero_si512();
    }
    for (int i = 0; i < 8; ++i) {
      b[2 * i] = _mm512_unpacklo_epi32(a[2 * i], a[2 * i + 1]);
      b[2 * i + 1] = _mm512_unpackhi_epi32(a[2 * i], a[2 * i + 1]);
    }
    for (int i = 0; i < 4; ++i) {
      for (int j = 0; j < 2; ++j) {
        a[4 * i + 2 * j] = _mm512_unpacklo_epi64(b[4 * i + j], b[4 * i + j + 2]);
        a[4 * i + 2 * j + 1] = _mm512_unpackhi_epi64(b[4 * i + j], b[4 * i + j + 2]);
      }
    }
    for (int i = 0; i < 4; ++i) {
      b[i] = _mm512_shuffle_i32x4(a[i], a[i + 4], 0x88);
      b[i + 4] = _mm512_shuffle_i32x4(a[i], a[i + 4], 0xdd);
      b[i + 8] = _mm512_shuffle_i32x4(a[i + 8], a[i + 12], 0x88);
      b[i + 12] = _mm512_shuffle_i32x4(a[i + 8], a[i + 12], 0xdd);
    }
    for (int i = 0; i < 4; ++i) {
      a[i] = _mm512_shuffle_i32x4(b[i], b[i + 8], 0x88);
      a[i + 8] = _mm512_shuffle_i32x4(b[i], b[i + 8], 0xdd);
      a[i + 4] = _mm512_shuffle_i32x4(b[i + 4], b[i + 12], 0x88);
      a[i + 12] = _mm512_shuffle_i32x4(b[i + 4], b[i + 12], 0xdd);
    }
    for (int i = 0; i < 16; ++i) _mm512_storeu_si512(to + i * tile, a[i]);
  }

  static void packKeys(
      const bf16 *keys, int64_t stride, int64_t count, int64_t size, void *packed) {
    Pair *out = static_cast<Pair *>(packed);
    int64_t pairs = size / 2;
    for (int64_t i = 0; i < padded(count); i += 16) {
      Pair *place = out + i / tile * tile * pairs + i % tile;
      // A tile's last rows may lie beyond the last token.
      const bf16 *row = keys + std::min(i, count) * stride;
      for (int64_t p = 0; p < pairs; p += 16) {
        transpose(
            reinterpret_cast<const Pair *>(row) + p, stride / 2, count - i, place + p * tile);
      }
    }
  }

  static void packValues(
      const bf16 *values, int64_t stride, int64_t count, int64_t size, void *packed) {
    Pair *out = static_cast<Pair *>(packed);
    auto load = [&](int64_t i, int64_t c) {
      if (i >= count) return _mm512_setzero_si512();
      return _mm512_cvtepu16_epi32(
          _mm256_loadu_si256(reinterpret_cast<const __m256i *>(values + i * stride + c)));
    };
    for (int64_t i = 0; i < padded(count); i += 2) {
      for (int64_t c = 0; c < size; c += 16) {
        __m512i pair = _mm512_or_si512(load(i, c), _mm512_slli_epi32(load(i + 1, c), 16));
        _mm512_storeu_si512(out + i / 2 * size + c, pair);
      }
    }
  }

  static __m512bh pairs(const Pair *p) { return (__m512bh)_mm512_loadu_si512(p); }
  static __m512bh all(Pair p) { return (__m512bh)_mm512_set1_epi32(static_cast<int>(p)); }

  /// Products of `R` queries with a tile of keys.
  template <int R>
  static void scores(
      const Pair *queries, int64_t stride, const Pair *keys, int64_t pairCount, float *out) {
    __m512 sums[R][columns];
#pragma unroll
    for (int i = 0; i < R; ++i)
#pragma unroll
      for (int j = 0; j < columns; ++j) sums[i][j] = _mm512_setzero_ps();
    for (int64_t p = 0; p < pairCount; ++p) {
      __m512bh k[columns];
#pragma unroll
      for (int j = 0; j < columns; ++j) k[j] = pairs(keys + p * tile + 16 * j);
#pragma unroll
      for (int i = 0; i < R; ++i) {
        __m512bh q = all(queries[i * stride + p]);
#pragma unroll
        for (int j = 0; j < columns; ++j) sums[i][j] = _mm512_dpbf16_ps(sums[i][j], k[j], q);
      }
    }
#pragma unroll
    for (int i = 0; i < R; ++i)
#pragma unroll
      for (int j = 0; j < columns; ++j) _mm512_storeu_ps(out + i * chunk + 16 * j, sums[i][j]);
  }

  /// Adds `R` rows of weights times values to what was summed up before, for `16 · J` channels.
  template <int R, int J>
  static void add(
      const Pair *weights, const Pair *values, int64_t pairCount, int64_t size,
      const float *factors, float *sums) {
    __m512 total[R][J];
#pragma unroll
    for (int i = 0; i < R; ++i)
#pragma unroll
      for (int j = 0; j < J; ++j)
        total[i][j] = _mm512_mul_ps(
            _mm512_loadu_ps(sums + i * largestHead + 16 * j), _mm512_set1_ps(factors[i]));
    for (int64_t p = 0; p < pairCount; ++p) {
      __m512bh v[J];
#pragma unroll
      for (int j = 0; j < J; ++j) v[j] = pairs(values + p * size + 16 * j);
#pragma unroll
      for (int i = 0; i < R; ++i) {
        __m512bh w = all(weights[i * (chunk / 2) + p]);
#pragma unroll
        for (int j = 0; j < J; ++j) total[i][j] = _mm512_dpbf16_ps(total[i][j], v[j], w);
      }
    }
#pragma unroll
    for (int i = 0; i < R; ++i)
#pragma unroll
      for (int j = 0; j < J; ++j) _mm512_storeu_ps(sums + i * largestHead + 16 * j, total[i][j]);
  }

  template <int R>
  static void attendRows(
      const bf16 *queries, int64_t queryStride, const Pair *keys, const Pair *values,
      int64_t count, int64_t size, float scale, bf16 *out, int64_t outStride) {
    alignas(64) float s[R * chunk], sums[R * largestHead];
    alignas(64) bf16 weights[R * chunk];
    float factors[R];
    RunningSoftmax softmax[R];
    std::fill(sums, sums + R * largestHead, 0.f);
    const Pair *q = reinterpret_cast<const Pair *>(queries);
    const Pair *w = reinterpret_cast<const Pair *>(weights);
    int64_t end = padded(count);
    for (int64_t from = 0; from < end; from += chunk) {
      int64_t width = std::min(chunk, end - from);
      for (int64_t k = 0; k < width; k += tile) {
        scores<R>(q, queryStride / 2, keys + (from + k) * (size / 2), size / 2, s + k);
      }
      for (int i = 0; i < R; ++i) {
        float *row = s + i * chunk;
        bf16 *to = weights + i * chunk;
        hide(row, std::min(width, count - from), width);
        softmax[i].take(row, width, scale, factors[i], [to](int64_t at, Floats a, Floats b) {
          _mm512_storeu_si512(to + at, (__m512i)_mm512_cvtne2ps_pbh(b.v, a.v));
        });
      }
      const Pair *v = values + from / 2 * size;
      int64_t c = 0;
      for (; c + 64 <= size; c += 64) add<R, 4>(w, v + c, width / 2, size, factors, sums + c);
      for (; c < size; c += 32) add<R, 2>(w, v + c, width / 2, size, factors, sums + c);
    }
    for (int i = 0; i < R; ++i)
      divide(sums + i * largestHead, softmax[i].sum, size, out + i * outStride);
  }

  static constexpr AttentionKernels<bf16> table{
      rows, packedBytes, packKeys, packValues, attendAll<PairAttention, bf16>};
};
} // namespace

const Table<bf16> halves{
    PairAttention::table, normModulate<bf16>, normRotate<bf16>, channelSums<bf16>, scaleShift<bf16>,
    decodeRow<bf16>, toBytes<bf16>, finish<bf16>};
} // namespace ct::kernels::avx512bf16
#pragma clang attribute pop
#endif
