// Attention in float32 for activations of any type.
//
// The including file has opened a namespace of its own and switched its instructions on.

/// Attention of a few rows at a time, whose scores of `chunk` keys stay in the nearest cache.
///
/// Keys are packed in tiles, channel by channel; values token by token.
template <typename T> struct FloatAttention {
  /// Vectors of a packed tile, and rows, that a core holds in its registers.
  static constexpr int columns = CT_WIDTH == 16 ? 4 : 2;
  static constexpr int rows = 6;
  static constexpr int64_t tile = columns * Floats::width;
  static constexpr int64_t chunk = 256;
  using Packed = float;

  static int64_t padded(int64_t count) { return (count + tile - 1) / tile * tile; }

  static int64_t packedBytes(int64_t count, int64_t size) {
    // A wide step reads beyond the last token where a head fills only half of it.
    return (padded(count) * size + columns * Floats::width) * static_cast<int64_t>(sizeof(float));
  }

  static void packKeys(
      const T *keys, int64_t stride, int64_t count, int64_t size, void *packed) {
    float *out = static_cast<float *>(packed);
    alignas(64) float row[largestHead];
    for (int64_t i = 0; i < padded(count); ++i) {
      if (i < count) {
        for (int64_t c = 0; c < size; c += Floats::width) {
          Floats::load(keys + i * stride + c).store(row + c);
        }
      } else {
        std::fill(row, row + size, 0.f);
      }
      float *place = out + i / tile * tile * size + i % tile;
      for (int64_t c = 0; c < size; ++c) place[c * tile] = row[c];
    }
  }

  static void packValues(
      const T *values, int64_t stride, int64_t count, int64_t size, void *packed) {
    float *out = static_cast<float *>(packed);
    for (int64_t i = 0; i < padded(count); ++i) {
      for (int64_t c = 0; c < size; c += Floats::width) {
        (i < count ? Floats::load(values + i * stride + c) : Floats::zero())
            .store(out + i * size + c);
      }
    }
  }

  /// Products of `R` queries with a tile of keys.
  template <int R>
  static void scores(const float *queries, const float *keys, int64_t size, float *out) {
    Floats sums[R][columns];
    for (int i = 0; i < R; ++i)
      for (int j = 0; j < columns; ++j) sums[i][j] = Floats::zero();
    for (int64_t c = 0; c < size; ++c) {
      Floats k[columns];
      for (int j = 0; j < columns; ++j) k[j] = Floats::load(keys + c * tile + j * Floats::width);
      for (int i = 0; i < R; ++i) {
        Floats q = Floats::all(queries[i * size + c]);
        for (int j = 0; j < columns; ++j) sums[i][j] = Floats::fma(q, k[j], sums[i][j]);
      }
    }
    for (int i = 0; i < R; ++i)
      for (int j = 0; j < columns; ++j) sums[i][j].store(out + i * chunk + j * Floats::width);
  }

  /// Adds `R` rows of weights times values to what was summed up before.
  template <int R>
  static void add(
      const float *weights, const float *values, int64_t count, int64_t size,
      const float *factors, float *sums) {
    constexpr int64_t step = columns * Floats::width;
    for (int64_t c = 0; c < size; c += step) {
      Floats total[R][columns];
      for (int i = 0; i < R; ++i)
        for (int j = 0; j < columns; ++j)
          total[i][j] = Floats::load(sums + i * sumStride + c + j * Floats::width)
              * Floats::all(factors[i]);
      for (int64_t k = 0; k < count; ++k) {
        Floats v[columns];
        for (int j = 0; j < columns; ++j) v[j] = Floats::load(values + k * size + c + j * Floats::width);
        for (int i = 0; i < R; ++i) {
          Floats w = Floats::all(weights[i * chunk + k]);
          for (int j = 0; j < columns; ++j) total[i][j] = Floats::fma(w, v[j], total[i][j]);
        }
      }
      for (int i = 0; i < R; ++i)
        for (int j = 0; j < columns; ++j)
          total[i][j].store(sums + i * sumStride + c + j * Floats::width);
    }
  }
  /// Room for a head's channels and what a wide step reads beyond them.
  static constexpr int64_t sumStride = largestHead + 64;

  template <int R>
  static void attendRows(
      const T *queries, int64_t queryStride, const float *keys, const float *values,
      int64_t count, int64_t size, float scale, T *out, int64_t outStride) {
    alignas(64) float q[R * largestHead], s[R * chunk], sums[R * sumStride];
    float factors[R];
    RunningSoftmax softmax[R];
    std::fill(sums, sums + R * sumStride, 0.f);
    for (int i = 0; i < R; ++i)
      for (int64_t c = 0; c < size; c += Floats::width)
        Floats::load(queries + i * queryStride + c).store(q + i * size + c);
    int64_t end = padded(count);
    for (int64_t from = 0; from < end; from += chunk) {
      int64_t width = std::min(chunk, end - from);
      for (int64_t k = 0; k < width; k += tile) scores<R>(q, keys + (from + k) * size, size, s + k);
      for (int i = 0; i < R; ++i) {
        float *row = s + i * chunk;
        hide(row, std::min(width, count - from), width);
        softmax[i].take(row, width, scale, factors[i], [row](int64_t at, Floats a, Floats b) {
          a.store(row + at);
          b.store(row + at + Floats::width);
        });
      }
      add<R>(s, values + from * size, width, size, factors, sums);
    }
    for (int i = 0; i < R; ++i)
      divide(sums + i * sumStride, softmax[i].sum, size, out + i * outStride);
  }

  static constexpr AttentionKernels<T> table{
      rows, packedBytes, packKeys, packValues, attendAll<FloatAttention, T>};
};
