import Checkpoints
import Foundation
import TestSupport
import Testing
import Torch

@Suite("Writing safetensors")
struct SafetensorsWriterTests {
    @Test("Every type comes back bit by bit", arguments: DType.allCases)
    func roundTrip(_ dtype: DType) throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("a.safetensors")
            let values = try Tensor([0, 1, 2, 1, 0, 3] as [Float], [2, 3]).to(dtype)
            let tensors = [
                "values": values, "turned": try values.transpose(0, 1),
                "none": try Tensor.empty([0, 4], dtype: dtype),
                "one": try values.select(0, 1).select(0, 2), "odd": try Tensor([7] as [UInt8]),
            ]
            try writeSafetensors(tensors, metadata: ["about": "ü \"/\" \n"], to: url)
            let file = try SafetensorsFile(url)
            #expect(file.metadata == ["about": "ü \"/\" \n"])
            #expect(file.names == tensors.keys.sorted())
            for (name, tensor) in tensors {
                let found = try file.tensor(name)
                #expect(found.dtype == tensor.dtype && found.shape == tensor.shape, "\(name)")
                #expect(try found.array(Double.self) == tensor.array(Double.self), "\(name)")
            }
        }
    }

    @Test("Not-a-number and infinity survive")
    func notANumber() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("a.safetensors")
            let values = try Tensor([Float.nan, .infinity, -.infinity, -0.0])
            try writeSafetensors(["a": values], to: url)
            let found = try SafetensorsFile(url).tensor("a").array(Float.self)
            #expect(found.map(\.bitPattern) == (try values.array(Float.self)).map(\.bitPattern))
        }
    }

    @Test("A write that fails leaves the old file, and no other")
    func atomic() throws {
        struct Stop: Error {}
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("a.safetensors")
            try writeSafetensors(["a": Tensor([1, 2] as [Float])], to: url)
            let before = try Data(contentsOf: url)
            #expect(throws: Stop.self) {
                try AtomicFile.write(to: url) { file in
                    try file.write(Data("half".utf8))
                    throw Stop()
                }
            }
            let nowhere = try Tensor.empty([3], device: .meta)
            #expect(throws: (any Error).self) {
                try writeSafetensors(["a": nowhere], to: url)
            }
            #expect(try Data(contentsOf: url) == before)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 1)
            try writeSafetensors(["a": Tensor([5] as [Float])], to: url)
            #expect(try SafetensorsFile(url).tensor("a").array(Float.self) == [5])
        }
    }

    @Test("A place that can't be written is an error that names it")
    func unwritable() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("missing/a.safetensors")
            let message = SafetensorsFiles.message {
                try writeSafetensors(["a": Tensor([1] as [Float])], to: url)
            }
            #expect(message.contains("missing/a.safetensors can't be written"), "\(message)")
        }
    }

    @Test("A full disk is said to be full")
    func fullDisk() {
        let device = URL(filePath: "/dev/full")
        guard FileManager.default.fileExists(atPath: device.path) else { return }
        // Files are written beside their place, which this one is not: bytes are added to it.
        let message = SafetensorsFiles.message { try AtomicFile.append(Data([1]), to: device) }
        #expect(message.contains("/dev/full can't be written: the disk is full"), "\(message)")
    }
}
