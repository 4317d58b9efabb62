import Foundation
import Testing
import Tokenizers

struct BytePairTrainerTests {
    private let lines = (0..<60).flatMap { number in
        ["red", "green", "blue"].map { colour in
            "A \(colour) ball moves left \(number) times, then it's gone. Él vio İstanbul."
        }
    }

    @Test func llamaFoldersReadBackAndGiveTheTextBack() throws {
        let trainer = try BytePairTrainer(lines: lines, vocabularySize: 400, style: .llama)
        let tokenizer = try TokenizerFixtures.withFolder { folder in
            try trainer.write(to: folder.appendingPathComponent("new/llama"))
            return try Tokenizer(folder: folder.appendingPathComponent("new/llama"))
        }
        #expect(tokenizer.vocabularySize == trainer.tokens.count + 6)
        #expect(tokenizer.beginTokenID == trainer.tokens.count)
        #expect(tokenizer.padTokenID == trainer.tokens.count + 5)
        let text = "A red ball, 🏳️‍🌈\n\nunseen <|eot_id|>"
        let encoding = tokenizer.encode(text)
        #expect(encoding.ids.first == tokenizer.beginTokenID)
        #expect(encoding.ids.last == tokenizer.tokenToID("<|eot_id|>"))
        #expect(
            tokenizer.decode(encoding.ids, skipSpecialTokens: false) == "<|begin_of_text|>" + text)
        #expect(tokenizer.encode(" ball moves", addSpecialTokens: false).ids.count == 2)
    }

    @Test func clipFoldersReadTheSameWithAndWithoutTokenizerFile() throws {
        let trainer = try BytePairTrainer(lines: lines, vocabularySize: 700, style: .clip)
        let (whole, parts) = try TokenizerFixtures.withFolder { folder in
            try trainer.write(to: folder)
            let whole = try Tokenizer(folder: folder)
            try FileManager.default.removeItem(
                at: folder.appendingPathComponent("tokenizer.json"))
            return (whole, try Tokenizer(folder: folder))
        }
        #expect(whole.vocabularySize == trainer.tokens.count + 2)
        #expect(whole.padTokenID == trainer.tokens.count + 1)
        for text in lines + ["", "A <|STARTOFTEXT|> <|ENDOFTEXT|>! <|endoftext|>", "ÉL\u{301} 🏳️‍🌈"] {
            #expect(whole.encode(text) == parts.encode(text))
        }
        #expect(whole.encode("Red Ball").ids.count == 4)
    }

    @Test func trainingIsDeterministicAndKeepsToTheSize() throws {
        let first = try BytePairTrainer(lines: lines, vocabularySize: 300, style: .llama)
        let second = try BytePairTrainer(
            lines: lines.reversed(), vocabularySize: 300, style: .llama)
        #expect(first.tokens == second.tokens)
        #expect(first.merges == second.merges)
        #expect(first.tokens.count == 294)
        #expect(first.tokens.count - 256 <= first.merges.count)
    }

    @Test func theMostFrequentPairIsMergedFirst() throws {
        let trainer = try BytePairTrainer(
            lines: ["abab abab", "cd"], vocabularySize: 270, style: .llama)
        #expect(trainer.merges.first == BytePairTrainer.Merge(left: "a", right: "b"))
        #expect(trainer.merges.dropFirst().first == BytePairTrainer.Merge(left: "ab", right: "ab"))
        #expect(!trainer.tokens.contains("cd"))
    }

    @Test func sizesBelowTheAlphabetAreRefused() {
        #expect(throws: TokenizerError.vocabularyTooSmall(size: 100, smallest: 514)) {
            try BytePairTrainer(lines: lines, vocabularySize: 100, style: .clip)
        }
    }

    @Test func foldersThatCannotBeMadeAreAnError() throws {
        let trainer = try BytePairTrainer(lines: [], vocabularySize: 262, style: .llama)
        #expect(throws: TokenizerError.self) {
            try trainer.write(to: URL(fileURLWithPath: "/dev/null/folder"))
        }
    }
}
