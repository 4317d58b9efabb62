import Checkpoints
import Foundation
import TestSupport
import Testing
import Torch
import TorchNN

@Suite struct TorchFileTests {
    private func file(_ name: String) throws -> TorchFile {
        try TorchFile(Fixtures.url("predictors/\(name).pth"))
    }

    private func message(_ body: () throws -> Void) -> String {
        do { try body() } catch { return "\(error)" }
        return "no error"
    }

    @Test("Tensors of every kind are those that PyTorch wrote")
    func tensors() throws {
        let file = try file("plain")
        #expect(
            file.names == [
                "brain", "count", "double", "empty", "half", "part", "plain", "turned", "weight",
            ])
        let plain = try file.tensor("plain")
        #expect(plain.shape == [4, 6])
        #expect(try plain.array(Float.self) == (0..<24).map { Float($0) / 8 })
        let turned = try file.tensor("turned")
        #expect(turned.shape == [6, 4])
        #expect(try turned.array(Float.self) == plain.transpose(0, 1).array(Float.self))
        #expect(try file.tensor("part").array(Float.self) == [5, 6, 7, 8, 9, 10])
        for name in ["half", "brain"] {
            #expect(try file.tensor(name).to(.float32).array(Float.self) == [0.5, -2, 3.25])
        }
        #expect(try file.tensor("half").dtype == .float16)
        #expect(try file.tensor("brain").dtype == .bfloat16)
        #expect(try file.tensor("double").array(Double.self) == [1e-9, 2])
        #expect(try file.tensor("count").intItem() == 7)
        #expect(try file.tensor("weight").array(Float.self) == [1.5, 2.5])
        #expect(try file.tensor("empty").shape == [0, 3])
        #expect(message { _ = try file.tensor("other") }.contains("no tensor other"))
    }

    @Test("A table within a table of other things counts as the file itself")
    func nested() throws {
        let file = try file("nested")
        #expect(file.names == ["layers.0.weight"])
        #expect(try file.tensor("layers.0.weight").array(Float.self) == [0, 1, 2, 3])
    }

    @Test("A file that wants to run something is refused, and so is the old format")
    func refused() throws {
        let call = message { _ = try file("calling") }
        #expect(call.contains(".print") && call.contains("state_dict"), "\(call)")
        let old = message { _ = try file("old") }
        #expect(old.contains("PyTorch 1.6"), "\(old)")
        let none = message { _ = try file("absent") }
        #expect(none.contains("absent.pth"), "\(none)")
    }

    @Test("A harmed file is an error at every cut, never more")
    func harmed() throws {
        let whole = try Data(contentsOf: Fixtures.url("predictors/plain.pth"))
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("cut.pth")
            for length in stride(from: 1, to: whole.count, by: 97) {
                try whole.prefix(length).write(to: url)
                #expect(throws: CheckpointError.self) { _ = try TorchFile(url) }
            }
            // Any one byte may be another: what is read is then an error or tensors of some numbers.
            for place in stride(from: 0, to: whole.count, by: 13) {
                var bytes = whole
                bytes[place] ^= 0x55
                try bytes.write(to: url)
                guard let file = try? TorchFile(url) else { continue }
                for name in file.names { _ = try? file.tensor(name) }
            }
        }
    }

    @Test("A file is a source that names what is missing, misshapen or left over")
    func source() throws {
        let file = try WeightFile(Fixtures.url("predictors/plain.pth"))
        #expect(file.contains("plain") && file.shape(of: "turned") == [6, 4])
        let read = try file.tensor("weight", shape: [2], initialization: .zeros)
        #expect(try read.array(Float.self) == [1.5, 2.5])
        #expect(
            message { _ = try file.tensor("weight", shape: [3], initialization: .zeros) }
                .contains("[2], its layer needs [3]"))
        #expect(
            message { _ = try file.tensor("bias", shape: [2], initialization: .zeros) }
                .contains("lacks the tensor bias"))
        #expect(
            message { try file.checkAllUsed { $0 == "brain" } }.contains("count and 6 more"))
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("w.safetensors")
            try writeSafetensors(["weight": Tensor([Float(3)])], to: url)
            let file = try WeightFile(url)
            file.dtype = .float64
            let read = try file.tensor("weight", shape: [1], initialization: .zeros)
            #expect(read.dtype == .float64)
            try file.checkAllUsed()
        }
    }
}
