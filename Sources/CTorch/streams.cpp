// Streams and events through c10's interface for any device, which needs no CUDA header.
#include "internal.h"

#include "ctorch_streams.h"

#include <ATen/ops/empty.h>
#include <c10/core/Event.h>
#include <c10/core/Stream.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <numeric>

using namespace ct;

namespace {

c10::Stream stream(ct_stream s) {
  return c10::Stream::unpack3(
      s.id, static_cast<c10::DeviceIndex>(s.index), static_cast<c10::DeviceType>(s.type));
}

ct_stream raw(const c10::Stream &s) {
  const auto data = s.pack3();
  return {data.stream_id, data.device_index, static_cast<int64_t>(data.device_type)};
}

c10::Event &event(ct_event e) { return *reinterpret_cast<c10::Event *>(e); }

}  // namespace

int32_t ct_stream_new(ct_device of, ct_stream *out) {
  CT_TRY(const c10::impl::VirtualGuardImpl device(static_cast<c10::DeviceType>(of.type));
         *out = raw(device.getStreamFromGlobalPool(ct::device(of), false)))
}

int32_t ct_stream_current(ct_device of, ct_stream *out) {
  CT_TRY(const c10::impl::VirtualGuardImpl device(static_cast<c10::DeviceType>(of.type));
         *out = raw(device.getStream(ct::device(of))))
}

int32_t ct_stream_wait(ct_stream s, ct_event e) { CT_TRY(event(e).block(stream(s))) }

int32_t ct_event_record(ct_stream s, ct_event *out) {
  CT_TRY(const auto on = stream(s); auto made = std::make_unique<c10::Event>(on.device_type());
         made->record(on); *out = reinterpret_cast<ct_event>(made.release()))
}

int32_t ct_event_synchronize(ct_event e) { CT_TRY(event(e).synchronize()) }

void ct_event_free(ct_event e) { delete reinterpret_cast<c10::Event *>(e); }

int32_t ct_copy_on(ct_stream s, ct_tensor to, ct_tensor from) {
  CT_TRY(const c10::StreamGuard guard(stream(s)); ref(to).copy_(ref(from), true))
}

int32_t ct_empty_pinned(int64_t bytes, ct_tensor *out) {
  CT_TRY(*out = give(at::empty({bytes}, at::TensorOptions(at::kByte).pinned_memory(true))))
}

int32_t ct_view_bytes(
    ct_tensor bytes, int64_t offset, int32_t type, const int64_t *shape, int64_t rank,
    ct_tensor *out) {
  CT_TRY(const auto axes = ints(shape, rank);
         const int64_t count =
             std::accumulate(axes.begin(), axes.end(), int64_t(1), std::multiplies<>());
         const int64_t size = count * static_cast<int64_t>(c10::elementSize(dtype(type)));
         *out = give(ref(bytes).narrow(0, offset, size).view(dtype(type)).view(axes)))
}
