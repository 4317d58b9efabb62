import Foundation
import Testing
import Tokenizers

/// A text with what the tokenizers library gives for it.
struct TokenizerCase: Decodable {
    var text: String
    var ids: [Int]
    var ids_no_special: [Int]
    var offsets: [[Int]]
    var decoded_skip_special: String
}

enum TokenizerFixtures {
    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures/tokenizers")

    struct Golden: Decodable {
        var strings: [TokenizerCase]
    }

    static func golden(_ name: String) throws -> [TokenizerCase] {
        let data = try Data(contentsOf: folder.appendingPathComponent(name))
        return try JSONDecoder().decode(Golden.self, from: data).strings
    }

    static func check(_ tokenizer: Tokenizer, _ cases: [TokenizerCase], _ name: String) {
        for wanted in cases {
            let encoding = tokenizer.encode(wanted.text)
            let comment = Comment(rawValue: "\(name): \(wanted.text.debugDescription)")
            #expect(encoding.ids == wanted.ids, comment)
            #expect(
                encoding.offsets.map { [$0.lowerBound, $0.upperBound] } == wanted.offsets, comment)
            #expect(
                tokenizer.encode(wanted.text, addSpecialTokens: false).ids
                    == wanted.ids_no_special, comment)
            let decoded = tokenizer.decode(encoding.ids, skipSpecialTokens: true)
            #expect(
                decoded.unicodeScalars.elementsEqual(wanted.decoded_skip_special.unicodeScalars),
                comment)
        }
    }

    /// Runs a body with an empty folder that is gone afterwards.
    static func withFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("tokenizers-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder)
    }

    /// A tokenizer of a folder with these files.
    static func tokenizer(files: [String: String]) throws -> Tokenizer {
        try withFolder { folder in
            for (name, text) in files {
                try Data(text.utf8).write(to: folder.appendingPathComponent(name))
            }
            return try Tokenizer(folder: folder)
        }
    }

    /// What goes wrong with a folder that holds these files, as a sentence.
    static func message(files: [String: String]) -> String {
        do {
            _ = try tokenizer(files: files)
            return "nothing"
        } catch {
            return "\(error)"
        }
    }
}
