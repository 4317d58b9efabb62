// Handles, status codes, and everything that isn't a plain operator.
//
// Every function that can fail returns a status: CT_OK, or a code whose text is in
// ct_last_error() of the same thread. A handle that a function gives out is owned by the caller.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define CT_BEGIN extern "C" {
#define CT_END }
#else
#define CT_BEGIN
#define CT_END
#endif

CT_BEGIN

/// An owned at::Tensor.
typedef struct ct_tensor_s *ct_tensor;
/// An owned at::Generator.
typedef struct ct_generator_s *ct_generator;
/// A list of owned tensors; free it with ct_tensors_free.
typedef struct {
  ct_tensor *items;
  int64_t count;
} ct_tensors;
/// A number that keeps whether it is an integer.
typedef struct {
  bool is_int;
  double d;
  int64_t i;
} ct_scalar;
/// A device: c10::DeviceType and index (-1 for the current one).
typedef struct {
  int8_t type, index;
} ct_device;

enum { CT_OK = 0, CT_ERROR = 1, CT_OUT_OF_MEMORY = 2, CT_CALLBACK = 3 };

/// The text of this thread's last failed call; valid until its next one.
const char *ct_last_error(void);
/// Leaves a text for it, from a callback that failed.
void ct_set_last_error(const char *text);
/// The version of the libtorch that is loaded, such as "2.11.0".
const char *ct_version(void);
/// What libtorch says of its own build: compiler, BLAS, CPU capability.
int32_t ct_build_description(char *text, int64_t capacity);

// MARK: tensors

void ct_tensor_free(ct_tensor t);
/// An array for `count` tensors, all null; its tensors are given away with it.
ct_tensors ct_tensors_new(int64_t count);
/// Frees the array; the tensors in it belong to whoever took them.
void ct_tensors_free(ct_tensors ts);
int64_t ct_tensor_rank(ct_tensor t);
int64_t ct_tensor_count(ct_tensor t);
void ct_tensor_shape(ct_tensor t, int64_t *out);
void ct_tensor_strides(ct_tensor t, int64_t *out);
int32_t ct_tensor_dtype(ct_tensor t);
ct_device ct_tensor_device(ct_tensor t);
bool ct_tensor_is_contiguous(ct_tensor t);
/// How often the tensor was changed in place.
int64_t ct_tensor_version(ct_tensor t);
/// The address of the first element; only to be read or written for CPU tensors.
void *ct_tensor_data(ct_tensor t);
int32_t ct_tensor_item(ct_tensor t, double *out);
int32_t ct_tensor_item_int(ct_tensor t, int64_t *out);
/// A tensor over memory that `release(context)` gives back when the last user is gone.
int32_t ct_tensor_from_memory(ct_tensor *out, void *data, const int64_t *shape, int64_t rank,
                              int32_t dtype, void *context, void (*release)(void *));
/// Copies into page-locked host memory, for asynchronous transfers.
int32_t ct_tensor_pinned(ct_tensor *out, ct_tensor t);
/// Products of complex numbers that lie as pairs along the last axis.
int32_t ct_complex_product(ct_tensor *out, ct_tensor a, ct_tensor b);
/// Converts device and type in one go; a device type of -1 or a dtype of -1 keeps what is.
int32_t ct_tensor_convert(ct_tensor *out, ct_tensor t, ct_device device, int32_t dtype,
                          bool non_blocking, bool copy);

// MARK: autograd

int32_t ct_backward(ct_tensor t, ct_tensor gradient);
/// Gradients of `outputs` with respect to `inputs`; one that is not reached is null.
int32_t ct_grad(ct_tensors *out, const ct_tensor *outputs, int64_t outputs_count,
                const ct_tensor *inputs, int64_t inputs_count, bool retain_graph,
                bool create_graph);
/// The accumulated gradient, or null.
int32_t ct_tensor_gradient(ct_tensor *out, ct_tensor t);
int32_t ct_tensor_set_gradient(ct_tensor t, ct_tensor gradient);
int32_t ct_tensor_set_requires_grad(ct_tensor t, bool on);
bool ct_tensor_requires_grad(ct_tensor t);
bool ct_grad_enabled(void);
void ct_set_grad_enabled(bool on);
/// A function to be run again in the backward pass; its status is CT_CALLBACK when it failed.
typedef int32_t (*ct_body)(void *context, const ct_tensor *inputs, int64_t inputs_count,
                           ct_tensors *outputs);
/// Runs `body` without keeping its activations, and again when gradients are asked for.
int32_t ct_checkpoint(ct_tensors *out, const ct_tensor *inputs, int64_t inputs_count, ct_body body,
                      void *context, void (*release)(void *));

// MARK: random numbers

int32_t ct_generator_new(ct_generator *out, ct_device device, uint64_t seed);
void ct_generator_free(ct_generator g);
int32_t ct_generator_state(ct_tensor *out, ct_generator g);
int32_t ct_generator_set_state(ct_generator g, ct_tensor state);
void ct_manual_seed(uint64_t seed);

// MARK: processors

void ct_set_thread_count(int32_t count);
int32_t ct_thread_count(void);
/// Turns exceptional, slow numbers below the normal range into zero on this thread.
bool ct_set_flush_denormal(bool on);
/// Loads libtorch_cuda.so, if there is one and it isn't loaded. The error tells what is missing.
int32_t ct_cuda_load(void);
int32_t ct_cuda_device_count(void);
int32_t ct_cuda_name(int32_t index, char *text, int64_t capacity);
/// Waits for all work queued on the current accelerator.
int32_t ct_accelerator_synchronize(int32_t index);
int32_t ct_accelerator_empty_cache(void);
typedef struct {
  int64_t allocated, peak_allocated, reserved, peak_reserved, free, total;
} ct_memory;
int32_t ct_accelerator_memory(int32_t index, ct_memory *out);
int32_t ct_accelerator_reset_peak(int32_t index);

CT_END
