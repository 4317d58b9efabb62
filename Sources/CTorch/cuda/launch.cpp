#include "launch.h"

#include "compiler.h"
#include "ctorch_kernels.h"
#include "driver.h"
#include "../internal.h"

#include <ATen/Context.h>
#include <ATen/ops/empty.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <cstring>
#include <map>
#include <memory>
#include <mutex>

namespace ct::cuda {
namespace {

/// What this thread's kernels for tensors of the CPU run in; null for nothing.
thread_local ct_cuda_launcher emulator = nullptr;

/// The kernels of one GPU, or why there are none.
struct OfDevice {
  std::unique_ptr<Module> module;
  int capability = 0;
  std::string problem;
};

std::mutex mutex;
std::map<int, OfDevice> devices;

/// A sentence of what the body threw; empty if it threw nothing.
template <typename F> std::string problem(F body) {
  try {
    body();
    return "";
  } catch (const c10::Error &e) {
    return e.what_without_backtrace();
  } catch (const std::exception &e) {
    return e.what();
  }
}

/// The kernels of a GPU, which are compiled and loaded once; `mutex` is held.
OfDevice &ofDevice(int index) {
  auto [place, isNew] = devices.try_emplace(index);
  OfDevice &found = place->second;
  if (isNew) {
    found.problem = problem([&] {
      c10::DeviceGuard guard(c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(index)));
      found.capability = capability(index);
      found.module = std::make_unique<Module>(index, compiled(found.capability, cacheFolder()));
    });
  }
  return found;
}

} // namespace

bool isReady(c10::Device device) {
  if (device.is_cpu()) return emulator != nullptr;
  if (!device.is_cuda()) return false;
  std::lock_guard lock(mutex);
  return ofDevice(device.index()).problem.empty();
}

int capability(c10::Device device) {
  // What the emulator runs is what the newest GPU does.
  if (device.is_cpu()) return 1000;
  std::lock_guard lock(mutex);
  return ofDevice(device.index()).capability;
}

bool isGPU(c10::Device device) {
  return device.is_cuda() || (device.is_cpu() && emulator != nullptr);
}

bool launch(c10::Device device, const std::string &kernel, Grid grid, const void *arguments) {
  if (device.is_cpu()) {
    int32_t status = emulator(kernel.c_str(), grid.x, grid.y, grid.threads, arguments);
    TORCH_CHECK(status == 0, "the emulator does not run ", kernel);
    return true;
  }
  c10::DeviceGuard guard(device);
  c10::impl::VirtualGuardImpl guards(c10::kCUDA);
  void *stream = guards.getStreamNativeHandle(guards.getStream(device));
  std::lock_guard lock(mutex);
  OfDevice &found = ofDevice(device.index());
  if (!found.problem.empty()) return false;
  found.problem = problem([&] { found.module->launch(kernel, grid, stream, arguments); });
  return found.problem.empty();
}

} // namespace ct::cuda

using namespace ct;
using namespace ct::cuda;

void ct_cuda_emulate(ct_cuda_launcher launcher) { emulator = launcher; }

int32_t ct_cuda_kernels_state(int32_t index, int32_t *capability, char *text, int64_t size) {
  CT_TRY({
    TORCH_CHECK(at::hasCUDA(), "libtorch's CUDA library is not loaded");
    std::lock_guard lock(mutex);
    const OfDevice &found = ofDevice(index);
    *capability = found.capability;
    TORCH_CHECK(size > 0, "no room for a text");
    text[found.problem.copy(text, size - 1)] = 0;
  })
}

int32_t ct_cuda_compiler() { CT_TRY(checkCompiler()) }

int32_t ct_cuda_kernels_compile(int32_t capability, const char *folder, ct_tensor *out) {
  CT_TRY({
    std::string code = compiled(capability, folder ? folder : "");
    at::Tensor bytes = at::empty({static_cast<int64_t>(code.size())}, at::kByte);
    std::memcpy(bytes.data_ptr(), code.data(), code.size());
    *out = give(bytes);
  })
}
