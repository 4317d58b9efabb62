// Copies that run beside the computation: streams and events of a device, and memory that it reads
// and writes by itself.
#pragma once
#include "ctorch_core.h"

CT_BEGIN

/// A queue of work on a device, as c10::StreamData3 has it.
typedef struct {
  int64_t id, index, type;
} ct_stream;
/// An owned c10::Event.
typedef struct ct_event_s *ct_event;

/// A stream of the device's pool; a CPU has none.
int32_t ct_stream_new(ct_device device, ct_stream *out);
/// The stream on which this thread's operations on the device run.
int32_t ct_stream_current(ct_device device, ct_stream *out);
/// Has a stream wait for an event; the caller does not wait.
int32_t ct_stream_wait(ct_stream stream, ct_event event);

/// A point in a stream's work: all that is in it now.
int32_t ct_event_record(ct_stream stream, ct_event *out);
/// Waits until the work before the event is done.
int32_t ct_event_synchronize(ct_event event);
void ct_event_free(ct_event event);

/// Copies on a stream; the caller does not wait. Both must live until that is done.
int32_t ct_copy_on(ct_stream stream, ct_tensor to, ct_tensor from);
/// Bytes of memory that the accelerator reads by itself, `(bytes)` in uint8.
int32_t ct_empty_pinned(int64_t bytes, ct_tensor *out);
/// A view of bytes `(N)` in uint8, from an offset on, in another type and shape. The offset is a
/// multiple of the type's size.
int32_t ct_view_bytes(
    ct_tensor bytes, int64_t offset, int32_t dtype, const int64_t *shape, int64_t rank,
    ct_tensor *out);

CT_END
