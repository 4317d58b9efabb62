// Conversions between the C ABI and libtorch, and the macro that stops exceptions.
#pragma once
#include "ctorch_core.h"

#include <ATen/core/Generator.h>
#include <ATen/core/List.h>
#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <exception>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ct {

/// Keeps `message` for ct_last_error.
void fail(const char *message);

/// Thrown when a callback into Swift failed, with the status and the text that it left. Autograd's
/// threads carry on what derives from std::exception and end the process at anything else.
struct CallbackFailure : std::exception {
  int32_t status;
  std::string text;
  explicit CallbackFailure(int32_t status) : status(status), text(ct_last_error()) {}
  const char *what() const noexcept override { return text.c_str(); }
};

inline at::Tensor &ref(ct_tensor t) { return *reinterpret_cast<at::Tensor *>(t); }

inline ct_tensor give(at::Tensor t) {
  return reinterpret_cast<ct_tensor>(new at::Tensor(std::move(t)));
}

/// Null for an undefined tensor.
inline ct_tensor giveIfThere(at::Tensor t) { return t.defined() ? give(std::move(t)) : nullptr; }

inline ct_tensors give(std::vector<at::Tensor> tensors) {
  auto *items = new ct_tensor[tensors.size()];
  for (size_t i = 0; i < tensors.size(); ++i) {
    items[i] = giveIfThere(std::move(tensors[i]));
  }
  return {items, static_cast<int64_t>(tensors.size())};
}

inline std::vector<at::Tensor> tensors(const ct_tensor *items, int64_t count) {
  std::vector<at::Tensor> list;
  list.reserve(count);
  for (int64_t i = 0; i < count; ++i) list.push_back(ref(items[i]));
  return list;
}

inline std::optional<at::Tensor> optional(ct_tensor t) {
  return t ? std::optional<at::Tensor>(ref(t)) : std::nullopt;
}

inline c10::List<std::optional<at::Tensor>> optionalTensors(const ct_tensor *items, int64_t count) {
  c10::List<std::optional<at::Tensor>> list;
  for (int64_t i = 0; i < count; ++i) list.push_back(optional(items[i]));
  return list;
}

inline at::Scalar scalar(ct_scalar s) { return s.is_int ? at::Scalar(s.i) : at::Scalar(s.d); }

inline std::optional<at::Scalar> optional(const ct_scalar *s) {
  return s ? std::optional<at::Scalar>(scalar(*s)) : std::nullopt;
}

inline std::optional<int64_t> optional(const int64_t *p) {
  return p ? std::optional<int64_t>(*p) : std::nullopt;
}

inline std::optional<double> optional(const double *p) {
  return p ? std::optional<double>(*p) : std::nullopt;
}

inline at::IntArrayRef ints(const int64_t *p, int64_t count) {
  return {p, static_cast<size_t>(count)};
}

inline at::OptionalIntArrayRef optionalInts(const int64_t *p, int64_t count) {
  return p ? at::OptionalIntArrayRef(ints(p, count)) : std::nullopt;
}

inline std::optional<at::ArrayRef<double>> optionalDoubles(const double *p, int64_t count) {
  if (!p) return std::nullopt;
  return at::ArrayRef<double>(p, static_cast<size_t>(count));
}

inline at::ScalarType dtype(int32_t code) { return static_cast<at::ScalarType>(code); }

inline std::optional<at::ScalarType> optionalDtype(int32_t code) {
  return code < 0 ? std::nullopt : std::optional<at::ScalarType>(dtype(code));
}

inline std::optional<at::MemoryFormat> optionalFormat(int32_t code) {
  if (code < 0) return std::nullopt;
  return static_cast<at::MemoryFormat>(code);
}

inline at::Device device(ct_device d) {
  return at::Device(static_cast<at::DeviceType>(d.type), d.index);
}

inline std::optional<at::Device> optional(const ct_device *d) {
  return d ? std::optional<at::Device>(device(*d)) : std::nullopt;
}

inline std::optional<std::string_view> optionalString(const char *s) {
  return s ? std::optional<std::string_view>(s) : std::nullopt;
}

inline at::Generator &ref(ct_generator g) { return *reinterpret_cast<at::Generator *>(g); }

inline std::optional<at::Generator> optional(ct_generator g) {
  return g ? std::optional<at::Generator>(ref(g)) : std::nullopt;
}

}  // namespace ct

/// Runs the statements and turns whatever they throw into a status and a text.
///
/// The CPU allocator reports a failed allocation as a plain c10::Error, hence the look at the text.
#define CT_TRY(...)                                            \
  try {                                                        \
    __VA_ARGS__;                                               \
    return CT_OK;                                              \
  } catch (const ct::CallbackFailure &e) {                     \
    ct::fail(e.what());                                        \
    return e.status;                                           \
  } catch (const c10::OutOfMemoryError &e) {                   \
    ct::fail(e.what_without_backtrace());                      \
    return CT_OUT_OF_MEMORY;                                   \
  } catch (const c10::Error &e) {                              \
    ct::fail(e.what_without_backtrace());                      \
    return ct::isOutOfMemory(e.what_without_backtrace())       \
               ? CT_OUT_OF_MEMORY                              \
               : CT_ERROR;                                     \
  } catch (const std::bad_alloc &) {                           \
    ct::fail("the machine has no memory left");                \
    return CT_OUT_OF_MEMORY;                                   \
  } catch (const std::exception &e) {                          \
    ct::fail(e.what());                                        \
    return ct::isOutOfMemory(e.what()) ? CT_OUT_OF_MEMORY      \
                                       : CT_ERROR;             \
  } catch (...) {                                              \
    ct::fail("an exception of unknown type");                  \
    return CT_ERROR;                                           \
  }

namespace ct {
/// Whether a message of libtorch tells of memory that could not be had.
bool isOutOfMemory(const char *message);
}  // namespace ct
