import Foundation
import TestSupport
import Testing

@Suite struct OrdersCommandTests {
    /// The shipped model with a single step a section, which is quick.
    private static func hastyModel(in folder: URL) throws -> URL {
        let small = Fixtures.folder.appendingPathComponent("../../Models/small")
        let model = folder.appendingPathComponent("hasty")
        try FileManager.default.copyItem(at: small.standardizedFileURL, to: model)
        let file = model.appendingPathComponent("framepack.json")
        let object = try JSONSerialization.jsonObject(with: Data(contentsOf: file))
        var settings = try #require(object as? [String: Any])
        settings["steps"] = 1
        settings["magnitudeRatios"] = nil
        try JSONSerialization.data(withJSONObject: settings).write(to: file)
        return model
    }

    @Test("experiment orders --quick writes its table, and goes on where it was")
    func quick() throws {
        try withTemporaryFolder { folder in
            let home = folder.appendingPathComponent("orders")
            let arguments = [
                "experiment", "orders", "--quick", "--folder", home.path, "--count", "1",
                "--long-count", "0", "--workers", "1", "--model",
                try Self.hastyModel(in: folder).path,
            ]
            let run = try Program.run(arguments)
            #expect(run.status == 0, "\(run.errors)")
            // A line a video: three packings in three orders, discrete and not, and the control.
            #expect(run.errorLines.count == 19)
            let table = try String(
                contentsOf: home.appendingPathComponent("orders.md"), encoding: .utf8)
            #expect(
                table.split(separator: "\n").count { $0.hasPrefix("| ") && $0.contains("_g9") }
                    == 19)
            #expect(table.contains("| td_f1k1_g9 | vanilla |"))
            for name in ["orders.json", "orders-5s.png"] {
                #expect(try !Data(contentsOf: home.appendingPathComponent(name)).isEmpty, "\(name)")
            }
            // Nothing is made a second time.
            let again = try Program.run(arguments)
            #expect(again.status == 0 && again.errorLines.isEmpty)
            #expect(again.output == run.output)
        }
    }
}
