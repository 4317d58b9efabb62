import Foundation
import Tokenizers

/// The row `tokenize` of the probe: a JSON array of strings in, a JSON array of tokens out.
enum TokenizerProbe {
    private struct Result: Encodable {
        let ids: [Int]
        let idsWithoutSpecial: [Int]
        let offsets: [[Int]]

        enum CodingKeys: String, CodingKey {
            case ids, offsets
            case idsWithoutSpecial = "ids_no_special"
        }
    }

    static func run(folder: URL, texts: URL) throws -> Data {
        guard let data = try? Data(contentsOf: texts) else {
            throw FramePackError.probe("\(texts.path) is missing or cannot be read.")
        }
        guard let strings = try? JSONDecoder().decode([String].self, from: data) else {
            throw FramePackError.malformedJSON(
                "\(texts.path) is not a JSON array of strings; write [\"...\", \"...\"].")
        }
        let tokenizer = try Tokenizer(folder: folder)
        let results = strings.map { text in
            let encoding = tokenizer.encode(text)
            return Result(
                ids: encoding.ids,
                idsWithoutSpecial: tokenizer.encode(text, addSpecialTokens: false).ids,
                offsets: encoding.offsets.map { [$0.lowerBound, $0.upperBound] })
        }
        return try JSONEncoder().encode(results)
    }
}
