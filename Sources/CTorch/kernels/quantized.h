// Weights stored in few bits, and activations in eight.
//
// The including file has opened a namespace of its own and switched its instructions on.

/// Writes values · factor + shift.
template <typename T>
inline void put(const float *values, float factor, float shift, int64_t count, T *out) {
  Floats factors = Floats::all(factor), shifts = Floats::all(shift);
  int64_t i = 0;
  for (; i + Floats::width <= count; i += Floats::width)
    Floats::fma(Floats::load(values + i), factors, shifts).store(out + i);
  if (i == count) return;
  float rest[Floats::width] = {};
  T results[Floats::width];
  std::copy(values + i, values + count, rest);
  Floats::fma(Floats::load(rest), factors, shifts).store(results);
  std::copy(results, results + (count - i), out + i);
}

/// IEEE half precision at any address.
inline float half(const uint8_t *p) {
  uint16_t bits = static_cast<uint16_t>(p[0] | p[1] << 8);
  return _cvtsh_ss(bits);
}

/// The float whose upper half this is.
inline float bfloat(bf16 x) { return __builtin_bit_cast(float, static_cast<uint32_t>(x) << 16); }

/// Numbers that are put out at a time; groups are cut into such pieces.
constexpr int64_t piece = 256;

/// Codes with a scale for each group of a row.
template <typename T, typename Decode>
inline void decodeGroups(const QuantizedRows &from, int64_t row, T *out, Decode decode) {
  float values[piece];
  for (int64_t start = 0, group = 0; start < from.columns; start += from.group, ++group) {
    int64_t at = row * from.scaleStride + group;
    float scale = !from.scales ? 1
        : from.halfScales ? bfloat(static_cast<const bf16 *>(from.scales)[at])
                          : static_cast<const float *>(from.scales)[at];
    int64_t end = std::min(start + from.group, from.columns);
    for (int64_t c = start; c < end; c += piece) {
      int64_t count = std::min(piece, end - c);
      decode(c, count, values);
      put(values, scale, 0, count, out + c);
    }
  }
}

template <typename T> inline void decodeQ8(const uint8_t *block, T *out) {
  float values[32];
  for (int i = 0; i < 32; ++i) values[i] = static_cast<int8_t>(block[2 + i]);
  put(values, half(block), 0, 32, out);
}

template <typename T> inline void decodeQ4K(const uint8_t *block, T *out) {
  float d = half(block), least = half(block + 2);
  const uint8_t *s = block + 4, *q = block + 16;
  for (int part = 0; part < 8; ++part) {
    // Six bits of a scale and six of a minimum; the upper two of the later ones lie in the first.
    int scale = part < 4 ? s[part] & 63 : (s[part + 4] & 15) | (s[part - 4] >> 6) << 4;
    int minimum = part < 4 ? s[part + 4] & 63 : s[part + 4] >> 4 | (s[part] >> 6) << 4;
    const uint8_t *codes = q + part / 2 * 32;
    int bits = part % 2 * 4;
    float values[32];
    for (int i = 0; i < 32; ++i) values[i] = static_cast<float>(codes[i] >> bits & 15);
    put(values, d * static_cast<float>(scale), -least * static_cast<float>(minimum), 32,
        out + part * 32);
  }
}

template <typename T> inline void decodeQ6K(const uint8_t *block, T *out) {
  const int8_t *scales = reinterpret_cast<const int8_t *>(block + 192);
  float d = half(block + 208);
  for (int part = 0; part < 8; ++part) {
    // Four bits of a code lie in one field, the two upper ones in another, 128 codes a half.
    const uint8_t *low = block + part / 4 * 64 + part % 2 * 32;
    const uint8_t *high = block + 128 + part / 4 * 32;
    int lowBits = part % 4 / 2 * 4, highBits = part % 4 * 2;
    float values[32];
    for (int i = 0; i < 32; ++i)
      values[i] = static_cast<float>(((low[i] >> lowBits & 15) | (high[i] >> highBits & 3) << 4) - 32);
    for (int j = 0; j < 2; ++j) {
      put(values + 16 * j, d * static_cast<float>(scales[2 * part + j]), 0, 16,
          out + part * 32 + 16 * j);
    }
  }
}

template <typename T> void decodeRow(const QuantizedRows &from, int64_t row, T *out) {
  const uint8_t *bytes = from.bytes + row * from.rowBytes;
  auto blocks = [&](int64_t size, int64_t byteCount, auto decode) {
    for (int64_t i = 0; i < from.columns / size; ++i)
      decode(bytes + i * byteCount, out + i * size);
  };
  switch (from.format) {
  case QuantizedFormat::fp8:
    return decodeGroups(from, row, out, [&](int64_t c, int64_t count, float *values) {
      for (int64_t i = 0; i < count; ++i) values[i] = from.table[bytes[c + i]];
    });
  case QuantizedFormat::int8:
    return decodeGroups(from, row, out, [&](int64_t c, int64_t count, float *values) {
      for (int64_t i = 0; i < count; ++i) values[i] = static_cast<int8_t>(bytes[c + i]);
    });
  case QuantizedFormat::int4:
    return decodeGroups(from, row, out, [&](int64_t c, int64_t count, float *values) {
      for (int64_t i = 0; i < count / 2; ++i) {
        uint8_t pair = bytes[c / 2 + i];
        values[2 * i] = static_cast<float>((pair & 15) - 8);
        values[2 * i + 1] = static_cast<float>((pair >> 4) - 8);
      }
    });
  case QuantizedFormat::q8_0: return blocks(32, 34, decodeQ8<T>);
  case QuantizedFormat::q4_k: return blocks(256, 144, decodeQ4K<T>);
  case QuantizedFormat::q6_k: return blocks(256, 210, decodeQ6K<T>);
  }
}

/// Writes 128 + x / scale, with the scale at which the largest is 127, and gives it out; NaN where
/// something is not finite.
template <typename T> float toBytes(const T *x, int64_t size, uint8_t *out) {
  Floats largest = Floats::zero(), check = Floats::zero();
  for (int64_t c = 0; c < size; c += Floats::width) {
    Floats v = Floats::load(x + c);
    largest = Floats::max(largest, Floats::max(v, Floats::zero() - v));
    check = check + (v - v);
  }
  float scale = largest.largest() / 127 + check.sum();
  Floats factor = Floats::all(scale > 0 ? 1 / scale : 0), middle = Floats::all(128.5f);
  float values[Floats::width];
  for (int64_t c = 0; c < size; c += Floats::width) {
    Floats::fma(Floats::load(x + c), factor, middle).store(values);
    for (int64_t i = 0; i < Floats::width; ++i)
      out[c + i] = static_cast<uint8_t>(static_cast<int32_t>(values[i]));
  }
  return scale;
}

template <typename T, typename F>
inline void finishWith(
    const float *x, float factor, const float *bias, int64_t size, T *out, F activation) {
  Floats factors = Floats::all(factor);
  for (int64_t c = 0; c < size; c += Floats::width) {
    Floats shift = bias ? Floats::load(bias + c) : Floats::zero();
    activation(Floats::fma(Floats::load(x + c), factors, shift)).store(out + c);
  }
}

template <typename T>
void finish(
    const float *x, float factor, const float *bias, int64_t size, Bend bend, T *out) {
  switch (bend) {
  case Bend::none: return finishWith(x, factor, bias, size, out, [](Floats v) { return v; });
  case Bend::silu: return finishWith(x, factor, bias, size, out, silu);
  case Bend::gelu: return finishWith(x, factor, bias, size, out, gelu);
  }
}
