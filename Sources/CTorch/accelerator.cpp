// CUDA at run time: the program is built against the CPU libraries alone.
#include "cuda/library.h"
#include "internal.h"

#include <ATen/Context.h>
#include <ATen/DeviceAccelerator.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <dlfcn.h>

#include <cstring>

using namespace ct;

int32_t ct_cuda_load() {
  if (at::hasCUDA()) return CT_OK;
  const std::string path = cuda::torchFolder() + "libtorch_cuda.so";
  if (!dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL)) {
    fail(dlerror());
    return CT_ERROR;
  }
  if (!at::hasCUDA()) {
    fail("libtorch_cuda.so is loaded but did not register its devices");
    return CT_ERROR;
  }
  return CT_OK;
}

int32_t ct_cuda_device_count() {
  if (!at::hasCUDA()) return 0;
  return at::detail::getCUDAHooks().getNumGPUs();
}

int32_t ct_cuda_name(int32_t index, char *text, int64_t capacity) {
  CT_TRY(TORCH_CHECK(capacity > 0, "no room for a name");
         // cudaGetDeviceProperties needs CUDA's headers; showConfig has no name, so ask the driver.
         using Name = int (*)(char *, int, int);
         auto driver = dlopen("libcuda.so.1", RTLD_NOW);
         TORCH_CHECK(driver, "the NVIDIA driver's libcuda.so.1 can't be loaded");
         auto name = reinterpret_cast<Name>(dlsym(driver, "cuDeviceGetName"));
         TORCH_CHECK(name && name(text, static_cast<int>(capacity), index) == 0,
                     "the NVIDIA driver doesn't tell the name of device ", index))
}

int32_t ct_accelerator_synchronize(int32_t index) {
  CT_TRY(at::accelerator::synchronizeDevice(static_cast<c10::DeviceIndex>(index)))
}

int32_t ct_accelerator_empty_cache() { CT_TRY(at::accelerator::emptyCache()) }

int32_t ct_accelerator_memory(int32_t index, ct_memory *out) {
  CT_TRY(const auto device = static_cast<c10::DeviceIndex>(index);
         const auto stats = at::accelerator::getDeviceStats(device);
         const auto whole = at::accelerator::getMemoryInfo(device);
         const auto &allocated = stats.allocated_bytes[0]; const auto &reserved = stats.reserved_bytes[0];
         *out = {allocated.current, allocated.peak, reserved.current, reserved.peak,
                 static_cast<int64_t>(whole.first), static_cast<int64_t>(whole.second)})
}

int32_t ct_accelerator_reset_peak(int32_t index) {
  CT_TRY(at::accelerator::resetPeakStats(static_cast<c10::DeviceIndex>(index)))
}
