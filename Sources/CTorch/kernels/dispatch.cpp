#include "dispatch.h"

#include "ctorch_kernels.h"

#include <ATen/TensorIterator.h>
#include <ATen/Version.h>
#include <ATen/ops/arange.h>

#include <algorithm>
#include <atomic>
#include <string>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace ct::kernels {
namespace {

Level detectedLevel() {
#if defined(__x86_64__)
  std::string capability = at::get_cpu_capability();
  if (capability.rfind("AVX512", 0) == 0) {
    return __builtin_cpu_supports("avx512bf16") ? Level::avx512bf16 : Level::avx512;
  }
  if (capability == "AVX2") return Level::avx2;
#endif
  return Level::none;
}

Level found() {
  static const Level level = detectedLevel();
  return level;
}

/// Of the calling thread alone: what another one computes meanwhile stays the same bits.
thread_local Level highest = Level::avx512bf16;

} // namespace

Level level() { return std::min(found(), highest); }

template <> const Table<float> *table<float>() {
#if defined(__x86_64__)
  switch (level()) {
  case Level::none: return nullptr;
  case Level::avx2: return &avx2::floats;
  default: return &avx512::floats;
  }
#else
  return nullptr;
#endif
}

template <> const Table<bf16> *table<bf16>() {
#if defined(__x86_64__)
  switch (level()) {
  case Level::none: return nullptr;
  case Level::avx2: return &avx2::halves;
  case Level::avx512: return &avx512::halves;
  case Level::avx512bf16: return &avx512bf16::halves;
  }
#endif
  return nullptr;
}

void inParallel(int64_t count, const std::function<void(int64_t, int64_t)> &body) {
  // The one loop over threads that libtorch exports is an iterator's.
  at::Tensor numbers = at::arange(count, at::kLong);
  auto iterator = at::TensorIterator::borrowing_nullary_op(numbers);
  iterator.for_each(
      [&](char **data, const int64_t *, int64_t size) {
        int64_t from = *reinterpret_cast<int64_t *>(data[0]);
        body(from, from + size);
      },
      1);
}

void forEachRow(int64_t count, const std::function<void(int64_t)> &body) {
  constexpr int64_t block = 16;
  inParallel((count + block - 1) / block, [&](int64_t from, int64_t to) {
    for (int64_t i = from * block; i < std::min(to * block, count); ++i) body(i);
  });
}

} // namespace ct::kernels

using namespace ct::kernels;

void ct_kernels_limit(int32_t level) { highest = static_cast<Level>(level); }

int32_t ct_kernels_level(void) { return static_cast<int32_t>(level()); }

const char *ct_kernels_name(void) {
  switch (level()) {
  case Level::none: return "none";
  case Level::avx2: return "AVX2";
  case Level::avx512: return "AVX512";
  case Level::avx512bf16: return "AVX512-BF16";
  }
  return "none";
}

/// What ct_keep_freed_memory was told last.
static std::atomic<int64_t> keptBytes = 0;

void ct_release_freed_memory(void) {
#if defined(__GLIBC__)
  // Pages that come back from the system cost a network that needs them again a tenth of its time.
  if (static_cast<int64_t>(mallinfo2().fordblks) > keptBytes) malloc_trim(0);
#endif
}

void ct_keep_freed_memory(int64_t bytes) {
  keptBytes = bytes;
#if defined(__GLIBC__)
  // Blocks above the first limit are always mapped on their own, and unmapped at once.
  // glibc takes 32 MB at most for it.
  mallopt(M_MMAP_THRESHOLD, static_cast<int>(std::clamp<int64_t>(bytes / 4, 128 << 10, 32 << 20)));
  mallopt(M_TRIM_THRESHOLD, static_cast<int>(std::min<int64_t>(bytes, INT32_MAX)));
#endif
}
