import Foundation
import Testing
import Tokenizers

struct TokenizerErrorTests {
    private let model = #""model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": []}"#

    private func message(_ parts: String) -> String {
        TokenizerFixtures.message(files: ["tokenizer.json": "{\(parts)}"])
    }

    @Test func anEmptyFolderIsAnErrorThatSaysWhatBelongsThere() {
        let message = TokenizerFixtures.message(files: [:])
        #expect(message.contains("vocab.json"))
        #expect(message.contains("tokenizer.json, or vocab.json and merges.txt"))
    }

    @Test(arguments: [
        ("{", "ends too early"), ("", "ends too early"), ("{\"a\": 1,}", "a key was expected"),
        ("{} x", "more after the end"), ("{\"a\" 1}", "a colon"), ("[1 2]", "a comma or ]"),
        ("{\"a\": \"b", "does not end"), ("{\"a\": \"\\ud800\"}", "surrogate"),
        ("{\"a\": 1-}", "not a number"), ("{\"a\": \"\\x\"}", "unknown escape"),
        (String(repeating: "[", count: 100_000), "nested too deep"), ("{\"a\": nul}", "a value"),
    ])
    func brokenJSONIsAnErrorThatSaysWhere(text: String, reason: String) {
        let message = TokenizerFixtures.message(files: ["tokenizer.json": text])
        #expect(message.contains("tokenizer.json is not valid JSON at line 1"))
        #expect(message.contains(reason))
    }

    @Test func unknownComponentsAreNamed() {
        #expect(message(#"\#(model), "normalizer": {"type": "Nmt"}"#).contains("\"Nmt\""))
        #expect(
            message(#"\#(model), "pre_tokenizer": {"type": "Metaspace"}"#).contains("Metaspace"))
        #expect(message(#"\#(model), "post_processor": {"type": "Odd"}"#).contains("\"Odd\""))
        #expect(message(#"\#(model), "decoder": {"type": "WordPiece"}"#).contains("WordPiece"))
        #expect(message(#""model": {"type": "Unigram"}"#).contains("Unigram"))
    }

    @Test func wrongValuesAreNamedWithTheirPlace() {
        #expect(message(#""version": "1.0""#).contains("model is missing"))
        #expect(message(#""model": {"type": "BPE", "vocab": {}}"#).contains("model.merges"))
        #expect(message(#""model": {"vocab": {"a": -1}, "merges": []}"#).contains("-1"))
        #expect(message(#""model": {"vocab": {"a": 0}, "merges": ["a"]}"#).contains("two tokens"))
        let merge = message(#""model": {"vocab": {"a": 0}, "merges": ["a b"]}"#)
        #expect(merge.contains("the merge \"a b\" needs the token \"b\""))
        #expect(
            message(#"\#(model), "pre_tokenizer": {"type": "ByteLevel"}"#)
                .contains("pre_tokenizer.add_prefix_space is missing"))
    }

    @Test(arguments: [
        "(", "a)", "[a", "*", "a{2,1}", "\\q", "\\p{Greek}", "(?<n>a)", "[[a]]", "\\",
        "((a{900}){900}){900}",
        String(repeating: "(", count: 100_000),
    ])
    func patternsOutsideTheSyntaxAreRefused(pattern: String) {
        let escaped = pattern.replacingOccurrences(of: "\\", with: "\\\\")
        let split =
            #"{"type": "Split", "behavior": "Isolated", "invert": false, "#
            + #""pattern": {"Regex": "\#(escaped)"}}"#
        #expect(message(#"\#(model), "pre_tokenizer": \#(split)"#).contains("cannot be used"))
    }

    @Test func brokenMergesAreNamedByLine() {
        let message = TokenizerFixtures.message(files: [
            "vocab.json": #"{"a": 0, "<|endoftext|>": 1}"#, "merges.txt": "#version: 0.2\na b c\n",
        ])
        #expect(message.contains("merges.txt: line 2"))
    }
}
