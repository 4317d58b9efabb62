// oneDNN's operators, which libtorch registers without declaring them.
#pragma once
#include "dispatch.h"

#include <ATen/core/dispatch/Dispatcher.h>

#include <optional>
#include <string_view>

namespace ct::kernels {

using Integers = at::IntArrayRef;
using OptionalTensor = std::optional<at::Tensor>;
using Scalars = c10::List<std::optional<at::Scalar>>;
using Name = std::optional<std::string_view>;

template <typename Signature> auto operation(const char *name, const char *overload) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, overload).typed<Signature>();
}

/// Whether oneDNN computes in the type of `x` as quickly as it can.
bool servesOneDNN(const at::Tensor &x, const at::Tensor &weight);

} // namespace ct::kernels
