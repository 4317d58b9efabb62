// Life and properties of tensors, errors, versions.
#include "internal.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/view_as_complex.h>
#include <ATen/ops/view_as_real.h>
#include <torch/headeronly/version.h>

#include <algorithm>
#include <cstring>

static thread_local std::string lastError;

void ct::fail(const char *message) { lastError = message; }

bool ct::isOutOfMemory(const char *message) {
  return std::strstr(message, "DefaultCPUAllocator: ") != nullptr ||
         std::strstr(message, "CUDA out of memory") != nullptr ||
         std::strstr(message, "could not allocate") != nullptr;
}

using namespace ct;

const char *ct_last_error() { return lastError.c_str(); }
void ct_set_last_error(const char *text) { lastError = text; }

const char *ct_version() { return TORCH_VERSION; }

int32_t ct_build_description(char *text, int64_t capacity) {
  CT_TRY(const std::string description =
             at::show_config() + "CPU capability: " + at::get_cpu_capability() + "\n" +
             at::get_parallel_info();
         std::strncpy(text, description.c_str(), capacity - 1); text[capacity - 1] = 0)
}

void ct_tensor_free(ct_tensor t) { delete reinterpret_cast<at::Tensor *>(t); }

ct_tensors ct_tensors_new(int64_t count) { return {new ct_tensor[count](), count}; }

void ct_tensors_free(ct_tensors ts) { delete[] ts.items; }

int64_t ct_tensor_rank(ct_tensor t) { return ref(t).dim(); }

int64_t ct_tensor_count(ct_tensor t) { return ref(t).numel(); }

void ct_tensor_shape(ct_tensor t, int64_t *out) {
  const auto sizes = ref(t).sizes();
  std::copy(sizes.begin(), sizes.end(), out);
}

void ct_tensor_strides(ct_tensor t, int64_t *out) {
  const auto strides = ref(t).strides();
  std::copy(strides.begin(), strides.end(), out);
}

int32_t ct_tensor_dtype(ct_tensor t) { return static_cast<int32_t>(ref(t).scalar_type()); }

ct_device ct_tensor_device(ct_tensor t) {
  const auto device = ref(t).device();
  return {static_cast<int8_t>(device.type()), device.index()};
}

bool ct_tensor_is_contiguous(ct_tensor t) { return ref(t).is_contiguous(); }

int64_t ct_tensor_version(ct_tensor t) { return ref(t).is_inference() ? 0 : ref(t)._version(); }

void *ct_tensor_data(ct_tensor t) { return ref(t).data_ptr(); }

int32_t ct_tensor_item(ct_tensor t, double *out) { CT_TRY(*out = ref(t).item().toDouble()) }

int32_t ct_tensor_item_int(ct_tensor t, int64_t *out) { CT_TRY(*out = ref(t).item().toLong()) }

int32_t ct_tensor_from_memory(ct_tensor *out, void *data, const int64_t *shape, int64_t rank,
                              int32_t dtype, void *context, void (*release)(void *)) {
  CT_TRY(auto options = at::TensorOptions().dtype(ct::dtype(dtype));
         auto free = [context, release](void *) { if (release) release(context); };
         *out = give(at::from_blob(data, ints(shape, rank), free, options)))
}

int32_t ct_tensor_pinned(ct_tensor *out, ct_tensor t) { CT_TRY(*out = give(ref(t).pin_memory())) }

int32_t ct_complex_product(ct_tensor *out, ct_tensor a, ct_tensor b) {
  CT_TRY(*out = give(at::view_as_real(
             at::mul(at::view_as_complex(ref(a)), at::view_as_complex(ref(b))))))
}

int32_t ct_tensor_convert(ct_tensor *out, ct_tensor t, ct_device device, int32_t dtype,
                          bool non_blocking, bool copy) {
  CT_TRY(const at::Tensor &self = ref(t);
         const auto where = device.type < 0 ? self.device() : ct::device(device);
         const auto type = dtype < 0 ? self.scalar_type() : ct::dtype(dtype);
         *out = give(self.to(where, type, non_blocking, copy)))
}

void ct_set_thread_count(int32_t count) { at::set_num_threads(count); }

int32_t ct_thread_count() { return at::get_num_threads(); }

bool ct_set_flush_denormal(bool on) { return at::globalContext().setFlushDenormal(on); }
