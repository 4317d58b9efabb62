#include "driver.h"

#include "library.h"

#include <c10/util/Exception.h>

namespace ct::cuda {
namespace {

/// The functions that are called, with the types of cuda.h: results and devices are numbers, the rest
/// pointers.
struct Driver {
  int (*initialize)(unsigned flags);
  int (*device)(int *device, int index);
  int (*attribute)(int *value, int attribute, int device);
  int (*retainContext)(void **context, int device);
  int (*setContext)(void *context);
  int (*load)(void **module, const void *code);
  int (*function)(void **function, void *module, const char *name);
  int (*launch)(
      void *function, unsigned x, unsigned y, unsigned z, unsigned threads, unsigned threadsY,
      unsigned threadsZ, unsigned shared, void *stream, void **arguments, void **extra);
  int (*describe)(int status, const char **text);

  Driver() {
    Library library("libcuda.so.1");
    TORCH_CHECK(library.isLoaded(), "the NVIDIA driver's libcuda.so.1 can't be loaded");
    library.find("cuInit", initialize);
    library.find("cuDeviceGet", device);
    library.find("cuDeviceGetAttribute", attribute);
    library.find("cuDevicePrimaryCtxRetain", retainContext);
    library.find("cuCtxSetCurrent", setContext);
    library.find("cuModuleLoadData", load);
    library.find("cuModuleGetFunction", function);
    library.find("cuLaunchKernel", launch);
    library.find("cuGetErrorString", describe);
  }
};

const Driver &driver() {
  static const Driver driver;
  return driver;
}

/// Throws what the driver says where it refuses.
void check(int status, const std::string &what) {
  if (status == 0) return;
  const char *text = nullptr;
  driver().describe(status, &text);
  TORCH_CHECK(false, "the NVIDIA driver does not ", what, ": ", text ? text : "no reason given");
}

int device(int index) {
  int device = 0;
  check(driver().initialize(0), "start");
  check(driver().device(&device, index), "know GPU " + std::to_string(index));
  return device;
}

} // namespace

int capability(int index) {
  constexpr int majorAttribute = 75, minorAttribute = 76;
  int major = 0, minor = 0, gpu = device(index);
  check(driver().attribute(&major, majorAttribute, gpu), "tell the compute capability");
  check(driver().attribute(&minor, minorAttribute, gpu), "tell the compute capability");
  return 10 * major + minor;
}

Module::Module(int index, const std::string &code) : context(nullptr), module(nullptr) {
  check(driver().retainContext(&context, device(index)), "give out the GPU's context");
  check(driver().setContext(context), "take the GPU's context");
  check(driver().load(&module, code.c_str()), "load the kernels");
}

void *Module::function(const std::string &kernel) {
  void *&found = functions[kernel];
  if (!found) check(driver().function(&found, module, kernel.c_str()), "find " + kernel);
  return found;
}

void Module::launch(const std::string &kernel, Grid grid, void *stream, const void *arguments) {
  void *list[] = {const_cast<void *>(arguments)};
  check(driver().setContext(context), "take the GPU's context");
  check(
      driver().launch(
          function(kernel), grid.x, grid.y, 1, grid.threads, 1, 1, 0, stream, list, nullptr),
      "start " + kernel);
}

} // namespace ct::cuda
