// libtorch's attention, with a say in which of its ways is asked first.
#include "../internal.h"
#include "ctorch_kernels.h"

#include <ATen/Context.h>
#include <ATen/ops/_fused_sdp_choice.h>
#include <ATen/ops/scaled_dot_product_attention.h>

#include <algorithm>
#include <mutex>
#include <vector>

namespace ct::cuda {
namespace {

/// Puts a way first while it lives; the order is libtorch's own, of all threads.
class First {
public:
  explicit First(at::SDPBackend way) : lock(mutex()), usual(at::globalContext().sDPPriorityOrder()) {
    auto changed = usual;
    auto place = std::find(changed.begin(), changed.end(), way);
    TORCH_CHECK(place != changed.end(), "libtorch has no attention number ", static_cast<int>(way));
    std::rotate(changed.begin(), place, place + 1);
    set(changed);
  }

  ~First() { set(usual); }

private:
  using Order = std::array<at::SDPBackend, at::num_sdp_backends>;

  static std::mutex &mutex() {
    static std::mutex mutex;
    return mutex;
  }

  static void set(const Order &order) {
    std::vector<int64_t> numbers;
    for (at::SDPBackend way : order) numbers.push_back(static_cast<int64_t>(way));
    at::globalContext().setSDPPriorityOrder(numbers);
  }

  std::lock_guard<std::mutex> lock;
  Order usual;
};

} // namespace
} // namespace ct::cuda

using namespace ct;
using namespace ct::cuda;

int32_t ct_attention_by(
    ct_tensor q, ct_tensor k, ct_tensor v, const double *scale, int32_t first, int32_t *taken,
    ct_tensor *out) {
  CT_TRY({
    First guard(static_cast<at::SDPBackend>(first));
    auto factor = optional(scale);
    *taken = static_cast<int32_t>(
        at::_fused_sdp_choice(ref(q), ref(k), ref(v), std::nullopt, 0, false, factor));
    *out = give(at::scaled_dot_product_attention(
        ref(q), ref(k), ref(v), std::nullopt, 0, false, factor));
  })
}

void ct_attention_order(int64_t *out) {
  for (at::SDPBackend way : at::globalContext().sDPPriorityOrder()) {
    *out++ = static_cast<int64_t>(way);
  }
}
