// Vectors of floats, as wide as the processor that a file is compiled for has them.
//
// The including file has opened a namespace of its own and switched its instructions on.

#if CT_WIDTH == 16

struct Floats {
  __m512 v;
  static constexpr int64_t width = 16;
  static Floats zero() { return {_mm512_setzero_ps()}; }
  static Floats all(float x) { return {_mm512_set1_ps(x)}; }
  static Floats load(const float *p) { return {_mm512_loadu_ps(p)}; }
  static Floats load(const bf16 *p) {
    __m256i half = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(p));
    return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16))};
  }
  void store(float *p) const { _mm512_storeu_ps(p, v); }
#if CT_BF16
  // Rounds to the nearest as below, and keeps NaNs.
  void store(bf16 *p) const {
    _mm256_storeu_si256(
        reinterpret_cast<__m256i *>(p), reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(v)));
  }
#else
  void store(bf16 *p) const {
    __m512i bits = _mm512_castps_si512(v);
    __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    __m512i rounded =
        _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    // Rounding would carry some NaNs into infinity or the sign.
    rounded = _mm512_mask_mov_epi32(
        rounded, _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q), _mm512_set1_epi32(0x7fc00000));
    _mm256_storeu_si256(
        reinterpret_cast<__m256i *>(p), _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16)));
  }
#endif
  float sum() const { return _mm512_reduce_add_ps(v); }
  float largest() const { return _mm512_reduce_max_ps(v); }
  friend Floats operator+(Floats a, Floats b) { return {_mm512_add_ps(a.v, b.v)}; }
  friend Floats operator-(Floats a, Floats b) { return {_mm512_sub_ps(a.v, b.v)}; }
  friend Floats operator*(Floats a, Floats b) { return {_mm512_mul_ps(a.v, b.v)}; }
  friend Floats operator/(Floats a, Floats b) { return {_mm512_div_ps(a.v, b.v)}; }
  /// a · b + c.
  static Floats fma(Floats a, Floats b, Floats c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
  /// Where one of both is NaN, the second.
  static Floats max(Floats a, Floats b) { return {_mm512_max_ps(a.v, b.v)}; }
  static Floats min(Floats a, Floats b) { return {_mm512_min_ps(a.v, b.v)}; }
  Floats rounded() const { return {_mm512_roundscale_ps(v, 0)}; }
  /// x · 2ⁿ for whole n above -127.
  static Floats scaled(Floats x, Floats n) { return {_mm512_scalef_ps(x.v, n.v)}; }
  /// Turns pairs (re, im) by pairs (cosine, sine).
  static Floats turned(Floats x, Floats phase) {
    __m512 swapped = _mm512_permute_ps(x.v, 0xB1);
    __m512 sine = _mm512_mul_ps(swapped, _mm512_movehdup_ps(phase.v));
    return {_mm512_fmaddsub_ps(x.v, _mm512_moveldup_ps(phase.v), sine)};
  }
};

#else

struct Floats {
  __m256 v;
  static constexpr int64_t width = 8;
  static Floats zero() { return {_mm256_setzero_ps()}; }
  static Floats all(float x) { return {_mm256_set1_ps(x)}; }
  static Floats load(const float *p) { return {_mm256_loadu_ps(p)}; }
  static Floats load(const bf16 *p) {
    __m128i half = _mm_loadu_si128(reinterpret_cast<const __m128i *>(p));
    return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16))};
  }
  void store(float *p) const { _mm256_storeu_ps(p, v); }
  void store(bf16 *p) const {
    __m256i bits = _mm256_castps_si256(v);
    __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    __m256i rounded =
        _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
    // Rounding would carry some NaNs into infinity or the sign.
    rounded = _mm256_blendv_epi8(
        rounded, _mm256_set1_epi32(0x7fc00000),
        _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q)));
    rounded = _mm256_srli_epi32(rounded, 16);
    __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(rounded, rounded), 0x08);
    _mm_storeu_si128(reinterpret_cast<__m128i *>(p), _mm256_castsi256_si128(packed));
  }
  float sum() const {
    __m128 half = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    half = _mm_add_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
  }
  float largest() const {
    __m128 half = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    half = _mm_max_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_max_ss(half, _mm_movehdup_ps(half)));
  }
  friend Floats operator+(Floats a, Floats b) { return {_mm256_add_ps(a.v, b.v)}; }
  friend Floats operator-(Floats a, Floats b) { return {_mm256_sub_ps(a.v, b.v)}; }
  friend Floats operator*(Floats a, Floats b) { return {_mm256_mul_ps(a.v, b.v)}; }
  friend Floats operator/(Floats a, Floats b) { return {_mm256_div_ps(a.v, b.v)}; }
  /// a · b + c.
  static Floats fma(Floats a, Floats b, Floats c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
  /// Where one of both is NaN, the second.
  static Floats max(Floats a, Floats b) { return {_mm256_max_ps(a.v, b.v)}; }
  static Floats min(Floats a, Floats b) { return {_mm256_min_ps(a.v, b.v)}; }
  Floats rounded() const { return {_mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)}; }
  /// x · 2ⁿ for whole n above -127.
  static Floats scaled(Floats x, Floats n) {
    __m256i power = _mm256_slli_epi32(
        _mm256_add_epi32(_mm256_cvtps_epi32(n.v), _mm256_set1_epi32(127)), 23);
    return {_mm256_mul_ps(x.v, _mm256_castsi256_ps(power))};
  }
  /// Turns pairs (re, im) by pairs (cosine, sine).
  static Floats turned(Floats x, Floats phase) {
    __m256 swapped = _mm256_permute_ps(x.v, 0xB1);
    __m256 sine = _mm256_mul_ps(swapped, _mm256_movehdup_ps(phase.v));
    return {_mm256_fmaddsub_ps(x.v, _mm256_moveldup_ps(phase.v), sine)};
  }
};

#endif

/// 2 to the power x, for x up to 126, with a relative error below 2e-7; powers below -126 count as
/// -126, so that what is masked with -∞ comes to nothing beside a row's largest value.
inline Floats powerOfTwo(Floats x) {
  // In this order a NaN stays one.
  x = Floats::max(Floats::all(-126), x);
  Floats whole = x.rounded();
  Floats rest = x - whole;
  // Taylor's series of 2^r for |r| ≤ 1/2.
  Floats p = Floats::all(1.5403530e-4f);
  p = Floats::fma(p, rest, Floats::all(1.3333558e-3f));
  p = Floats::fma(p, rest, Floats::all(9.6181291e-3f));
  p = Floats::fma(p, rest, Floats::all(5.5504109e-2f));
  p = Floats::fma(p, rest, Floats::all(2.4022651e-1f));
  p = Floats::fma(p, rest, Floats::all(6.9314718e-1f));
  p = Floats::fma(p, rest, Floats::all(1.f));
  return Floats::scaled(p, whole);
}
