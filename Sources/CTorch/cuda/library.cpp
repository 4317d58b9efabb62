#include "library.h"

#include <ATen/DeviceAccelerator.h>
#include <c10/util/Exception.h>
#include <dlfcn.h>

namespace ct::cuda {

Library::Library(const std::string &name) : name(name), handle(dlopen(name.c_str(), RTLD_NOW)) {}

void *Library::symbol(const char *function) const {
  void *found = handle ? dlsym(handle, function) : nullptr;
  TORCH_CHECK(found, name, " has no ", function);
  return found;
}

std::string torchFolder() {
  Dl_info info{};
  if (!dladdr(reinterpret_cast<void *>(&at::getAccelerator), &info) || !info.dli_fname) return "";
  const std::string path = info.dli_fname;
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash + 1);
}

} // namespace ct::cuda
