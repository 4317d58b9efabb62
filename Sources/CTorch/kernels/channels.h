// Group normalisation of positions whose channels lie side by side.
//
// The including file has opened a namespace of its own and switched its instructions on. Sizes are
// multiples of 16.

/// `count` positions' sums of x − center and of its square, for some vectors of channels.
template <typename T, int vectors>
inline void sumUp(
    const T *x, const float *center, int64_t count, int64_t size, float *sums, float *squares) {
  Floats centers[vectors], first[vectors], second[vectors];
  for (int i = 0; i < vectors; ++i) {
    centers[i] = Floats::load(center + i * Floats::width);
    first[i] = second[i] = Floats::zero();
  }
  for (int64_t position = 0; position < count; ++position) {
    for (int i = 0; i < vectors; ++i) {
      Floats d = Floats::load(x + position * size + i * Floats::width) - centers[i];
      first[i] = first[i] + d;
      second[i] = Floats::fma(d, d, second[i]);
    }
  }
  for (int i = 0; i < vectors; ++i) {
    first[i].store(sums + i * Floats::width);
    second[i].store(squares + i * Floats::width);
  }
}

template <typename T>
void channelSums(
    const T *x, const float *center, int64_t count, int64_t size, float *sums, float *squares) {
  constexpr int64_t block = 4 * Floats::width;
  int64_t c = 0;
  for (; c + block <= size; c += block)
    sumUp<T, 4>(x + c, center + c, count, size, sums + c, squares + c);
  for (; c < size; c += Floats::width)
    sumUp<T, 1>(x + c, center + c, count, size, sums + c, squares + c);
}

template <typename T>
void scaleShift(
    const T *x, const float *factor, const float *shift, int64_t count, int64_t size, T *out) {
  for (int64_t position = 0; position < count; ++position, x += size, out += size) {
    for (int64_t c = 0; c < size; c += Floats::width) {
      Floats y = Floats::fma(
          Floats::load(x + c), Floats::load(factor + c), Floats::load(shift + c));
      silu(y).store(out + c);
    }
  }
}
