// Normalisation joined with what follows it, so that activations are read and written once.
//
// The including file has opened a namespace of its own and switched its instructions on. Sizes are
// multiples of 16.

/// The mean of f over `size` channels.
template <typename T, typename F> inline float mean(const T *x, int64_t size, F f) {
  Floats a = Floats::zero(), b = Floats::zero();
  int64_t c = 0;
  for (; c + 2 * Floats::width <= size; c += 2 * Floats::width) {
    a = a + f(Floats::load(x + c));
    b = b + f(Floats::load(x + c + Floats::width));
  }
  for (; c + Floats::width <= size; c += Floats::width) a = a + f(Floats::load(x + c));
  return (a + b).sum() / static_cast<float>(size);
}

template <typename T>
void normModulate(const T *x, const T *factor, const T *shift, int64_t size, float eps, T *out) {
  float center = mean(x, size, [](Floats v) { return v; });
  Floats centers = Floats::all(center);
  float variance = mean(x, size, [centers](Floats v) {
    Floats d = v - centers;
    return d * d;
  });
  Floats scale = Floats::all(1 / std::sqrt(variance + eps));
  for (int64_t c = 0; c < size; c += Floats::width) {
    Floats normal = (Floats::load(x + c) - centers) * scale;
    Floats::fma(normal, Floats::load(factor + c), Floats::load(shift + c)).store(out + c);
  }
}

template <typename T>
void normRotate(
    const T *x, const T *weight, const float *phases, int64_t heads, int64_t headStride,
    int64_t size, float eps, T *out) {
  for (int64_t h = 0; h < heads; ++h) {
    const T *from = x + h * headStride;
    T *to = out + h * size;
    float square = mean(from, size, [](Floats v) { return v * v; });
    Floats scale = Floats::all(1 / std::sqrt(square + eps));
    for (int64_t c = 0; c < size; c += Floats::width) {
      Floats y = Floats::load(from + c) * scale * Floats::load(weight + c);
      if (phases) y = Floats::turned(y, Floats::load(phases + c));
      y.store(to + c);
    }
  }
}
