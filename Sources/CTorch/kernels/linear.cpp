// Products with weights by oneDNN; on a GPU those that libtorch joins with what follows.
#include "onednn.h"

#include "../cuda/cuda.h"
#include "ctorch_kernels.h"

#include <ATen/Context.h>

namespace ct::kernels {

bool servesOneDNN(const at::Tensor &x, const at::Tensor &weight) {
  return level() != Level::none && x.device().is_cpu() && at::hasMKLDNN() &&
      at::globalContext().userEnabledMkldnn() && alike(x, weight) && x.numel() > 0 &&
      (x.scalar_type() == at::kFloat ||
       // Below it oneDNN would imitate half precision slowly.
       (x.scalar_type() == at::kBFloat16 && level() >= Level::avx512));
}

} // namespace ct::kernels

using namespace ct;
using namespace ct::kernels;

int32_t ct_kernels_linear(
    ct_tensor input, ct_tensor weight, ct_tensor bias, const char *activation, const char *form,
    ct_tensor *out) {
  CT_TRY({
    const at::Tensor &x = ref(input), &w = ref(weight);
    *out = nullptr;
    if (cuda::isOnGPU(x)) {
      // The form that libtorch's joined operation has there.
      std::string_view joined = x.is_cuda() ? "tanh" : "none";
      if (bias && std::string_view(activation) == "gelu" && form == joined) *out = giveIfThere(cuda::linearGELU(x, w, ref(bias)));
      return CT_OK;
    }
    bool fit = servesOneDNN(x, w) && x.dim() >= 2 && w.dim() == 2 && w.is_contiguous() &&
        x.size(-1) == w.size(1) && w.numel() > 0;
    if (!fit) return CT_OK;
    static auto call = operation<at::Tensor(
        const at::Tensor &, const at::Tensor &, const OptionalTensor &, std::string_view, Scalars,
        Name)>("mkldnn::_linear_pointwise", "");
    *out = give(call.call(x, w, optional(bias), activation, Scalars(), Name(form)));
  })
}
