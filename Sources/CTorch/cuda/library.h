// Libraries that are there when the program runs, or not.
#pragma once
#include <string>

namespace ct::cuda {

/// A library that stays loaded; its functions are found by name.
class Library {
public:
  /// Loads a library by its path, or by a name that the loader looks up.
  explicit Library(const std::string &name);

  bool isLoaded() const { return handle != nullptr; }

  /// The function of that name; throws a sentence if the library has none.
  template <typename Function> void find(const char *name, Function *&function) const {
    function = reinterpret_cast<Function *>(symbol(name));
  }

private:
  void *symbol(const char *name) const;

  std::string name;
  void *handle;
};

/// The folder that libtorch was loaded from, with a slash at its end; empty if that is not known.
std::string torchFolder();

} // namespace ct::cuda
