// Softmax over keys that come chunk by chunk (Milakov and Gimelshein, arXiv:1805.02867; as in
// FlashAttention, arXiv:2205.14135).
//
// The including file has opened a namespace of its own and switched its instructions on.

/// What is known of a row of scores after some chunks, in powers of two.
struct RunningSoftmax {
  float largest = -INFINITY;
  float sum = 0;

  /// Turns a chunk's scores into weights relative to the largest so far.
  ///
  /// - `factor`: by it what was summed up before is to be multiplied.
  /// - `store`: keeps the weights of a vector and the one after it.
  template <typename Store>
  void take(float *scores, int64_t count, float scale, float &factor, Store store) {
    Floats top = Floats::load(scores);
    for (int64_t i = Floats::width; i < count; i += Floats::width) {
      top = Floats::max(top, Floats::load(scores + i));
    }
    float reached = std::max(largest, top.largest() * scale);
    factor = largest == -INFINITY ? 0 : std::exp2(largest - reached);
    largest = reached;
    Floats scales = Floats::all(scale), ends = Floats::all(-reached);
    Floats first = Floats::zero(), second = Floats::zero();
    for (int64_t i = 0; i < count; i += 2 * Floats::width) {
      Floats a = powerOfTwo(Floats::fma(Floats::load(scores + i), scales, ends));
      Floats b = powerOfTwo(Floats::fma(Floats::load(scores + i + Floats::width), scales, ends));
      first = first + a;
      second = second + b;
      store(i, a, b);
    }
    sum = sum * factor + (first + second).sum();
  }
};

/// What was summed up for a row, divided by the sum of its weights.
template <typename T>
inline void divide(const float *sums, float sum, int64_t size, T *out) {
  Floats factor = Floats::all(1 / sum);
  for (int64_t c = 0; c < size; c += Floats::width) {
    (Floats::load(sums + c) * factor).store(out + c);
  }
}

/// Attention of all queries, as many rows at a time as `Kernel` takes best.
template <typename Kernel, typename T>
void attendAll(
    const T *queries, int64_t queryStride, int64_t count, const void *keys, const void *values,
    int64_t keyCount, int64_t size, float scale, T *out, int64_t outStride) {
  using Packed = typename Kernel::Packed;
  const Packed *k = static_cast<const Packed *>(keys), *v = static_cast<const Packed *>(values);
  scale *= 1.44269504f; // log2(e)
  int64_t i = 0;
  for (; i + Kernel::rows <= count; i += Kernel::rows)
    Kernel::template attendRows<Kernel::rows>(
        queries + i * queryStride, queryStride, k, v, keyCount, size, scale, out + i * outStride,
        outStride);
  for (; i < count; ++i)
    Kernel::template attendRows<1>(
        queries + i * queryStride, queryStride, k, v, keyCount, size, scale, out + i * outStride,
        outStride);
}

/// Scores of keys beyond the last one, so that they get no weight.
inline void hide(float *scores, int64_t from, int64_t to) {
  for (int64_t i = from; i < to; ++i) scores[i] = -INFINITY;
}
