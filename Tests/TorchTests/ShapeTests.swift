import Testing
import Torch

@Suite("Shapes and data")
struct ShapeTests {
    /// 0 ..< 6 as `(2, 3)`.
    static func grid() throws -> Tensor { try Tensor.arange(0, 6).reshape(2, 3) }

    @Test("Views look at the same memory")
    func views() throws {
        let a = try Self.grid()
        #expect(a.shape == [2, 3] && a.strides == [3, 1] && a.rank == 2 && a.count == 6)
        #expect(a.dim(-1) == 3 && a.dim(0) == 2 && a.isContiguous)
        #expect("\(a)" == "(2, 3) float32 cpu")
        try expectValues(a.reshape([3, -1]), [0, 1, 2, 3, 4, 5], shape: [3, 2])
        try expectValues(a.permute(1, 0), [0, 3, 1, 4, 2, 5], shape: [3, 2])
        try expectValues(a.transpose(0, 1), [0, 3, 1, 4, 2, 5], shape: [3, 2])
        #expect(try !a.transpose(0, 1).isContiguous)
        #expect(try a.transpose(0, 1).contiguous().strides == [2, 1])
        #expect(try a.unsqueeze(1).shape == [2, 1, 3])
        #expect(try a.unsqueeze(1).squeeze(1).shape == [2, 3])
        try expectValues(a.narrow(0, 1, 1).expand([2, -1]), [3, 4, 5, 3, 4, 5])
        #expect(try a.flatten().shape == [6])
        #expect(try a.unflatten(1, [3, 1]).shape == [2, 3, 1])
        try expectValues(a.narrow(1, 1, 2), [1, 2, 4, 5], shape: [2, 2])
        try expectValues(a.select(1, 2), [2, 5], shape: [2])
        try expectValues(a.slice(1, from: 0, to: 3, step: 2), [0, 2, 3, 5])
        try expectValues(a.slice(1, to: 1), [0, 3])
        try a.select(0, 0).zeroInPlace()
        try expectValues(a, [0, 0, 0, 3, 4, 5])
    }

    @Test("Elements are repeated, picked and turned around")
    func copies() throws {
        let a = try Self.grid()
        try expectValues(a.repeated([1, 2]), [0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5])
        try expectValues(
            a.narrow(0, 0, 1).repeatInterleaved(2, axis: 1), [0, 0, 1, 1, 2, 2])
        try expectValues(a.indexSelect(1, Tensor([2, 0] as [Int64])), [2, 0, 5, 3])
        try expectValues(a.gather(1, Tensor([2, 0] as [Int64], [2, 1])), [2, 3])
        try expectValues(a.flip([1]), [2, 1, 0, 5, 4, 3])
        let copy = try a.clone()
        try a.zeroInPlace()
        try expectValues(copy, [0, 1, 2, 3, 4, 5])
    }

    @Test("Tensors are cut and joined")
    func pieces() throws {
        let a = try Self.grid()
        #expect(try a.chunk(2, axis: 1).map(\.shape) == [[2, 2], [2, 1]])
        let split = try a.split([1, 2], axis: 1)
        try expectValues(split[1], [1, 2, 4, 5])
        try expectValues(Tensor.cat(split.reversed(), axis: 1), [1, 2, 0, 4, 5, 3])
        let rows = try a.unbind(0)
        #expect(rows.count == 2 && rows[0].shape == [3])
        try expectValues(Tensor.stack(rows, axis: 1), [0, 3, 1, 4, 2, 5], shape: [3, 2])
    }

    @Test("Padding repeats the edge or a number")
    func padding() throws {
        let a = try Self.grid()
        try expectValues(
            a.pad([1, 0], .constant(9)), [9, 0, 1, 2, 9, 3, 4, 5], shape: [2, 4])
        try expectValues(
            a.unsqueeze(0).pad([0, 1, 1, 0], .replicate),
            [0, 1, 2, 2, 0, 1, 2, 2, 3, 4, 5, 5], shape: [1, 3, 4])
        let video = try a.reshape(1, 1, 1, 2, 3)
        try expectValues(
            video.pad([0, 0, 0, 0, 1, 0], .replicate).flatten(),
            [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5])
    }

    @Test("Tensors are made in every way")
    func creation() throws {
        try expectValues(.zeros([2]), [0, 0])
        try expectValues(.ones([2], dtype: .int64), [1, 1])
        try expectValues(.full([2], 2.5), [2.5, 2.5])
        try expectValues(.arange(1, 2, step: 0.25), [1, 1.25, 1.5, 1.75])
        try expectValues(.linspace(0, 1, count: 3), [0, 0.5, 1])
        try expectValues(.eye(2), [1, 0, 0, 1])
        #expect(try Tensor.empty([3, 0], dtype: .bfloat16).shape == [3, 0])
        let a = try Self.grid()
        #expect(try a.zerosLike(dtype: .int32).dtype == .int32)
        try expectValues(a.onesLike(), [1, 1, 1, 1, 1, 1])
        #expect(try a.emptyLike().shape == [2, 3])
        #expect(try Tensor.empty([1 << 40, 7], device: .meta).count == 7 << 40)
    }

    @Test("Values come and go in their type")
    func data() throws {
        let a = try Tensor([1.5, -2.5, 300] as [Float])
        #expect(try a.array(Double.self) == [1.5, -2.5, 300])
        #expect(try a.to(.int64).array(Int64.self) == [1, -2, 300])
        #expect(try a.narrow(0, 1, 1).item() == -2.5)
        #expect(try Tensor([1 << 60] as [Int64]).intItem() == 1 << 60)
        #expect(try a.to(.bfloat16).to(.float32).array(Float.self) == [1.5, -2.5, 300])
        #expect(try Tensor([1] as [Float]).bitCast(.int32).array(Int32.self) == [0x3f80_0000])
        let bytes = try a.withBytes { $0.count }
        #expect(bytes == 12)
        try a.withMutableBytes { $0.storeBytes(of: Float(7), as: Float.self) }
        try expectValues(a, [7, -2.5, 300])
        #expect(message { _ = try Tensor([1, 2] as [Float], [3]) }.contains("do not fill"))
        let turned = try Self.grid().transpose(0, 1)
        #expect(message { _ = try turned.withBytes { $0.count } }.contains("read in place"))
    }

    @Test("Borrowed memory is let go when the last view is gone")
    func borrowing() throws {
        final class Owner: @unchecked Sendable {
            let memory = UnsafeMutableRawPointer.allocate(byteCount: 8, alignment: 8)
            deinit { memory.deallocate() }
        }
        weak var watched: Owner?
        do {
            var view: Tensor?
            do {
                let owner = Owner()
                watched = owner
                owner.memory.storeBytes(of: 5, as: Float.self)
                owner.memory.storeBytes(of: 6, toByteOffset: 4, as: Float.self)
                view = try Tensor.borrowing(owner.memory, [2], dtype: .float32, owner: owner)
                    .narrow(0, 1, 1)
            }
            #expect(watched != nil)
            try expectValues(#require(view), [6])
            view = nil
        }
        #expect(watched == nil)
    }
}
