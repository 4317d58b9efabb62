import Foundation
import Testing
import Tokenizers

struct GoldenTests {
    private let folder = TokenizerFixtures.folder

    @Test func llamaGivesTheGoldenTokens() throws {
        let tokenizer = try Tokenizer(folder: folder.appendingPathComponent("llama"))
        TokenizerFixtures.check(
            tokenizer, try TokenizerFixtures.golden("llama_golden.json"), "llama")
    }

    @Test func clipGivesTheGoldenTokens() throws {
        let tokenizer = try Tokenizer(folder: folder.appendingPathComponent("clip_json"))
        TokenizerFixtures.check(tokenizer, try TokenizerFixtures.golden("clip_golden.json"), "clip")
    }

    @Test func clipWithoutTokenizerFileGivesTheGoldenTokens() throws {
        TokenizerFixtures.check(
            try clipFromVocabulary(), try TokenizerFixtures.golden("clip_golden.json"), "files")
    }

    @Test func variantsGiveWhatTheLibraryGives() throws {
        let data = try Data(contentsOf: folder.appendingPathComponent("variants.json"))
        let list = try #require(JSONSerialization.jsonObject(with: data) as? [[String: Any]])
        #expect(list.count > 15)
        for entry in list {
            let name = try #require(entry["name"] as? String)
            let base = try #require(entry["base"] as? String)
            let changes = try #require(entry["changes"] as? [String: Any])
            let strings = try #require(entry["strings"])
            let cases = try JSONDecoder().decode(
                [TokenizerCase].self, from: JSONSerialization.data(withJSONObject: strings))
            let tokenizer =
                name == "clip-files" ? try clipFromVocabulary() : try variant(of: base, changes)
            TokenizerFixtures.check(tokenizer, cases, name)
        }
    }

    private func clipFromVocabulary() throws -> Tokenizer {
        try TokenizerFixtures.withFolder { copy in
            for name in ["vocab.json", "merges.txt", "tokenizer_config.json"] {
                try FileManager.default.copyItem(
                    at: folder.appendingPathComponent("clip_json/\(name)"),
                    to: copy.appendingPathComponent(name))
            }
            return try Tokenizer(folder: copy)
        }
    }

    private func variant(of base: String, _ changes: [String: Any]) throws -> Tokenizer {
        let file = folder.appendingPathComponent("\(base)/tokenizer.json")
        let object = try JSONSerialization.jsonObject(with: Data(contentsOf: file))
        var document = try #require(object as? [String: Any])
        for (key, value) in changes {
            guard key == "model", let change = value as? [String: Any] else {
                document[key] = value
                continue
            }
            var model = try #require(document["model"] as? [String: Any])
            var vocabulary = try #require(model["vocab"] as? [String: Any])
            for token in change["remove"] as? [String] ?? [] { vocabulary[token] = nil }
            model["vocab"] = vocabulary
            for (key, value) in change where key != "remove" { model[key] = value }
            document["model"] = model
        }
        let text = String(
            decoding: try JSONSerialization.data(withJSONObject: document), as: UTF8.self)
        return try TokenizerFixtures.tokenizer(files: ["tokenizer.json": text])
    }
}
