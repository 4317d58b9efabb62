// Groups over NCCL, without its headers: what libtorch's CUDA build brings is looked up at run time,
// so that one program runs with the CPU build and with the CUDA build.
#include "distributed.h"

#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <dlfcn.h>

#include <chrono>
#include <cstring>
#include <thread>

using namespace ct;
using std::chrono::milliseconds;

namespace {

// NCCL's C interface, as far as it is used. Its types and numbers have not changed since NCCL 2.10.
using Communicator = struct ncclComm *;
using CudaStream = void *;
struct UniqueID { char bytes[128]; };
enum DataType { ncclInt8, ncclUint8, ncclInt32, ncclUint32, ncclInt64, ncclUint64, ncclFloat16,
                ncclFloat32, ncclFloat64, ncclBfloat16 };
enum Reduction { ncclSum = 0, ncclMax = 2 };
constexpr int ncclSuccess = 0, ncclInProgress = 7;

/// The functions of the NCCL that is loaded.
struct Library {
  int (*ncclGetUniqueId)(UniqueID *);
  int (*ncclCommInitRank)(Communicator *, int, UniqueID, int);
  int (*ncclCommGetAsyncError)(Communicator, int *);
  int (*ncclCommAbort)(Communicator);
  const char *(*ncclGetErrorString)(int);
  int (*ncclAllReduce)(const void *, void *, size_t, int, int, Communicator, CudaStream);
  int (*ncclReduce)(const void *, void *, size_t, int, int, int, Communicator, CudaStream);
  int (*ncclBroadcast)(const void *, void *, size_t, int, int, Communicator, CudaStream);
  int (*ncclAllGather)(const void *, void *, size_t, int, Communicator, CudaStream);
  int (*ncclReduceScatter)(const void *, void *, size_t, int, int, Communicator, CudaStream);

  static const Library &loaded() {
    static const Library library;
    return library;
  }

  void check(int status) const {
    TORCH_CHECK(status == ncclSuccess || status == ncclInProgress, "NCCL: ",
                ncclGetErrorString(status));
  }

 private:
  void *handle = nullptr;

  template <typename Function> void find(Function &function, const char *name) {
    function = reinterpret_cast<Function>(dlsym(handle, name));
    TORCH_CHECK(function, "libnccl.so.2 has no ", name);
  }

  Library() {
    // With the CUDA build it is loaded already, as a part of libtorch_cuda's needs.
    handle = dlopen("libnccl.so.2", RTLD_NOW);
    TORCH_CHECK(handle, "this libtorch has no NCCL (libnccl.so.2 can't be loaded); processes on GPUs "
                        "need libtorch's CUDA build");
    find(ncclGetUniqueId, "ncclGetUniqueId");
    find(ncclCommInitRank, "ncclCommInitRank");
    find(ncclCommGetAsyncError, "ncclCommGetAsyncError");
    find(ncclCommAbort, "ncclCommAbort");
    find(ncclGetErrorString, "ncclGetErrorString");
    find(ncclAllReduce, "ncclAllReduce");
    find(ncclReduce, "ncclReduce");
    find(ncclBroadcast, "ncclBroadcast");
    find(ncclAllGather, "ncclAllGather");
    find(ncclReduceScatter, "ncclReduceScatter");
  }
};

DataType dataType(const at::Tensor &t) {
  switch (t.scalar_type()) {
    case at::kChar: return ncclInt8;
    case at::kByte: return ncclUint8;
    case at::kInt: return ncclInt32;
    case at::kLong: return ncclInt64;
    case at::kHalf: return ncclFloat16;
    case at::kFloat: return ncclFloat32;
    case at::kDouble: return ncclFloat64;
    case at::kBFloat16: return ncclBfloat16;
    default: TORCH_CHECK(false, "NCCL can't exchange tensors of type ", t.scalar_type());
  }
}

int reduction(const c10d::ReduceOp &operation) {
  return operation == c10d::ReduceOp::MAX ? ncclMax : ncclSum;
}

/// An exchange that was put on the GPU's current stream.
struct QueuedWork : c10d::Work {
  QueuedWork(Communicator communicator, c10::Stream stream, std::vector<at::Tensor> tensors)
      : communicator(communicator), stream(stream), tensors(std::move(tensors)) {}

  bool isCompleted() override {
    int status = ncclSuccess;
    const auto &nccl = Library::loaded();
    nccl.check(nccl.ncclCommGetAsyncError(communicator, &status));
    nccl.check(status);
    return c10::impl::getDeviceGuardImpl(stream.device_type())->queryStream(stream);
  }

  bool isSuccess() const override { return true; }

  /// Gives up after the time with an exception, as the others do.
  bool wait(milliseconds time) override {
    const auto end = std::chrono::steady_clock::now() + time;
    while (!isCompleted()) {
      TORCH_CHECK(time.count() == 0 || std::chrono::steady_clock::now() < end, "timed out");
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
    return true;
  }

 private:
  Communicator communicator;
  c10::Stream stream;
  std::vector<at::Tensor> tensors;
};

/// Processes that each have a GPU.
class NCCLGroup : public c10d::Backend {
 public:
  NCCLGroup(Store &store, const std::string &prefix, int rank, int size, int index)
      : Backend(rank, size), device(at::kCUDA, static_cast<c10::DeviceIndex>(index)) {
    const auto &nccl = Library::loaded();
    c10::impl::getDeviceGuardImpl(at::kCUDA)->setDevice(device);
    UniqueID id;
    if (rank == 0) {
      nccl.check(nccl.ncclGetUniqueId(&id));
      store->set(prefix, std::vector<uint8_t>(id.bytes, id.bytes + sizeof id.bytes));
    } else {
      const auto bytes = store->get(prefix);
      TORCH_CHECK(bytes.size() == sizeof id.bytes, "rank 0 gave no NCCL identity");
      std::memcpy(id.bytes, bytes.data(), sizeof id.bytes);
    }
    nccl.check(nccl.ncclCommInitRank(&communicator, size, id, rank));
  }

  // A communicator of processes that are gone can't be closed, only aborted; it ends with the process.
  ~NCCLGroup() override = default;

  const std::string getBackendName() const override { return "nccl"; }

  void abort() override { Library::loaded().ncclCommAbort(communicator); }

  c10::intrusive_ptr<c10d::Work> allreduce(std::vector<at::Tensor> &tensors,
                                           const c10d::AllreduceOptions &options) override {
    auto &t = tensors.at(0);
    const auto &nccl = Library::loaded();
    nccl.check(nccl.ncclAllReduce(t.data_ptr(), t.data_ptr(), t.numel(), dataType(t),
                                  reduction(options.reduceOp), communicator, native()));
    return queued({t});
  }

  c10::intrusive_ptr<c10d::Work> reduce(std::vector<at::Tensor> &tensors,
                                        const c10d::ReduceOptions &options) override {
    auto &t = tensors.at(0);
    const auto &nccl = Library::loaded();
    nccl.check(nccl.ncclReduce(t.data_ptr(), t.data_ptr(), t.numel(), dataType(t),
                               reduction(options.reduceOp), static_cast<int>(options.rootRank),
                               communicator, native()));
    return queued({t});
  }

  c10::intrusive_ptr<c10d::Work> broadcast(std::vector<at::Tensor> &tensors,
                                           const c10d::BroadcastOptions &options) override {
    auto &t = tensors.at(0);
    const auto &nccl = Library::loaded();
    nccl.check(nccl.ncclBroadcast(t.data_ptr(), t.data_ptr(), t.numel(), dataType(t),
                                  static_cast<int>(options.rootRank), communicator, native()));
    return queued({t});
  }

  c10::intrusive_ptr<c10d::Work> _allgather_base(at::Tensor &whole, at::Tensor &part,
                                                 const c10d::AllgatherOptions &) override {
    const auto &nccl = Library::loaded();
    nccl.check(nccl.ncclAllGather(part.data_ptr(), whole.data_ptr(), part.numel(), dataType(part),
                                  communicator, native()));
    return queued({whole, part});
  }

  c10::intrusive_ptr<c10d::Work> _reduce_scatter_base(
      at::Tensor &part, at::Tensor &whole, const c10d::ReduceScatterOptions &options) override {
    const auto &nccl = Library::loaded();
    nccl.check(nccl.ncclReduceScatter(whole.data_ptr(), part.data_ptr(), part.numel(),
                                      dataType(part), reduction(options.reduceOp), communicator,
                                      native()));
    return queued({whole, part});
  }

 private:
  c10::Device device;
  Communicator communicator = nullptr;

  c10::Stream stream() const {
    return c10::impl::getDeviceGuardImpl(at::kCUDA)->getStream(device);
  }

  CudaStream native() const {
    return c10::impl::getDeviceGuardImpl(at::kCUDA)->getStreamNativeHandle(stream());
  }

  c10::intrusive_ptr<c10d::Work> queued(std::vector<at::Tensor> tensors) const {
    return c10::make_intrusive<QueuedWork>(communicator, stream(), std::move(tensors));
  }
};

}  // namespace

int32_t ct_nccl_join(ct_group *out, ct_store s, const char *prefix, int32_t rank, int32_t size,
                     int32_t device) {
  CT_TRY(*out = giveGroup(c10::make_intrusive<NCCLGroup>(ref(s), prefix, rank, size, device)))
}
