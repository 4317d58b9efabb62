#include "compiler.h"

#include "cache.h"
#include "library.h"
#include "text.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <vector>

namespace ct::cuda {
namespace {

/// Where libtorch's packages have NVRTC, below the folder of `torch`, and the loader's own names.
std::vector<std::string> places() {
  const char *chosen = std::getenv("FRAMEPACK_NVRTC");
  if (chosen && *chosen) return {chosen};
  std::string packages = torchFolder() + "../../nvidia/";
  return {
      packages + "cu13/lib/libnvrtc.so.13", packages + "cuda_nvrtc/lib/libnvrtc.so.12",
      "libnvrtc.so.13", "libnvrtc.so.12"};
}

/// NVRTC asks for its second library by name alone, which is found once it is loaded.
void loadBuiltins(const std::string &path) {
  std::error_code ignored;
  auto folder = std::filesystem::path(path).parent_path();
  if (folder.empty()) return;
  for (const auto &entry : std::filesystem::directory_iterator(folder, ignored)) {
    std::string name = entry.path().filename();
    if (name.rfind("libnvrtc-builtins.so", 0) == 0) Library builtins(entry.path());
  }
}

Library foundLibrary() {
  std::vector<std::string> all = places();
  for (const std::string &path : all) {
    if (Library library(path); library.isLoaded()) {
      loadBuiltins(path);
      return library;
    }
  }
  TORCH_CHECK(
      all.size() > 1, all.front(), " can't be loaded; FRAMEPACK_NVRTC is to name NVRTC's library");
  TORCH_CHECK(
      false, "there is no libnvrtc; make setup DEVICE=cuda fetches it, or FRAMEPACK_NVRTC names it");
}

/// The functions that are called, with the types of nvrtc.h: results are numbers, programs pointers.
struct Compiler {
  using Program = void *;
  int (*version)(int *major, int *minor);
  int (*architectureCount)(int *count);
  int (*architectures)(int *items);
  int (*create)(
      Program *, const char *text, const char *name, int headers, const char *const *,
      const char *const *);
  int (*destroy)(Program *);
  int (*compile)(Program, int count, const char *const *options);
  int (*logSize)(Program, size_t *);
  int (*log)(Program, char *);
  int (*codeSize)(Program, size_t *);
  int (*code)(Program, char *);
  int (*assemblySize)(Program, size_t *);
  int (*assembly)(Program, char *);

  Compiler() {
    Library library = foundLibrary();
    library.find("nvrtcVersion", version);
    library.find("nvrtcGetNumSupportedArchs", architectureCount);
    library.find("nvrtcGetSupportedArchs", architectures);
    library.find("nvrtcCreateProgram", create);
    library.find("nvrtcDestroyProgram", destroy);
    library.find("nvrtcCompileProgram", compile);
    library.find("nvrtcGetProgramLogSize", logSize);
    library.find("nvrtcGetProgramLog", log);
    library.find("nvrtcGetCUBINSize", codeSize);
    library.find("nvrtcGetCUBIN", code);
    library.find("nvrtcGetPTXSize", assemblySize);
    library.find("nvrtcGetPTX", assembly);
  }
};

/// The one compiler; throws again at each call while there is none.
const Compiler &compiler() {
  static const Compiler compiler;
  return compiler;
}

using Size = int (*)(Compiler::Program, size_t *);
using Read = int (*)(Compiler::Program, char *);

std::string bytes(Compiler::Program program, Size size, Read read) {
  size_t count = 0;
  TORCH_CHECK(size(program, &count) == 0, "NVRTC does not give out what it made");
  std::string result(count, '\0');
  TORCH_CHECK(read(program, result.data()) == 0, "NVRTC does not give out what it made");
  return result;
}

struct Target {
  std::string name;
  bool isMachineCode;
};

/// The newest target that such a GPU runs: machine code of its own generation, else PTX.
Target target(const Compiler &compiler, int capability) {
  int count = 0;
  compiler.architectureCount(&count);
  std::vector<int> known(count);
  if (count > 0) compiler.architectures(known.data());
  int best = 0;
  for (int one : known) {
    if (one <= capability) best = std::max(best, one);
  }
  TORCH_CHECK(
      best > 0, "NVRTC makes nothing for a GPU of compute capability ", capability / 10, ".",
      capability % 10);
  bool own = best / 10 == capability / 10;
  return {(own ? "sm_" : "compute_") + std::to_string(best), own};
}

std::string compile(const Compiler &compiler, const Target &target) {
  Compiler::Program program = nullptr;
  TORCH_CHECK(
      compiler.create(&program, text, "framepack.cu", 0, nullptr, nullptr) == 0,
      "NVRTC takes no program");
  struct End {
    const Compiler &compiler;
    Compiler::Program program;
    ~End() { compiler.destroy(&program); }
  } end{compiler, program};
  std::string architecture = "--gpu-architecture=" + target.name;
  const char *options[] = {architecture.c_str(), "--std=c++17"};
  int status = compiler.compile(program, 2, options);
  TORCH_CHECK(
      status == 0, "NVRTC does not compile the kernels for ", target.name, ": ",
      bytes(program, compiler.logSize, compiler.log).c_str());
  return target.isMachineCode ? bytes(program, compiler.codeSize, compiler.code)
                              : bytes(program, compiler.assemblySize, compiler.assembly);
}

} // namespace

void checkCompiler() { compiler(); }

std::string compiled(int capability, const std::string &folder) {
  const Compiler &nvrtc = compiler();
  Target wanted = target(nvrtc, capability);
  int major = 0, minor = 0;
  nvrtc.version(&major, &minor);
  std::string version = std::to_string(major) + "." + std::to_string(minor);
  std::string name = wanted.name + "-" + fingerprint(version);
  if (auto known = cached(folder, name)) return *known;
  std::string code = compile(nvrtc, wanted);
  keep(folder, name, code);
  return code;
}

} // namespace ct::cuda
