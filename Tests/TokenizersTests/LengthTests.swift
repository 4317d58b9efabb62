import Foundation
import Testing
import Tokenizers

struct LengthTests {
    private let llama: Tokenizer
    private let clip: Tokenizer

    init() throws {
        let folder = TokenizerFixtures.folder
        llama = try Tokenizer(folder: folder.appendingPathComponent("llama"))
        clip = try Tokenizer(folder: folder.appendingPathComponent("clip_json"))
    }

    @Test func shortTextsArePaddedOnTheRight() throws {
        let padded = try llama.encode("The girl", length: 6)
        #expect(padded.ids == [999, 300, 932, 1006, 1006, 1006])
        #expect(padded.attentionMask == [1, 1, 1, 0, 0, 0])
        #expect(try clip.encode("the girl", length: 6).ids == [1041, 522, 705, 1042, 1042, 1042])
    }

    @Test func longTextsKeepTheTokensThatAreAdded() throws {
        let text = String(repeating: "the girl ", count: 500)
        let cut = try llama.encode(text, length: 351)
        #expect(cut.ids == Array(llama.encode(text).ids.prefix(351)))
        #expect(cut.attentionMask == [Int](repeating: 1, count: 351))
        #expect(try clip.encode("the girl the girl", length: 4).ids == [1041, 522, 705, 1042])
        #expect(try clip.encode(text, length: 77).ids.last == 1042)
        #expect(try clip.encode(text, maximumLength: 77).ids.count == 77)
        #expect(try clip.encode("", maximumLength: 77).ids == [1041, 1042])
    }

    @Test func lengthsBelowTheAddedTokensAreRefused() throws {
        #expect(throws: TokenizerError.lengthTooSmall(length: 1, added: 2)) {
            try clip.encode("a", length: 1)
        }
    }

    @Test func paddingNeedsAPaddingToken() throws {
        let file = TokenizerFixtures.folder.appendingPathComponent("llama/tokenizer.json")
        let bare = try TokenizerFixtures.tokenizer(
            files: ["tokenizer.json": String(contentsOf: file, encoding: .utf8)])
        #expect(throws: TokenizerError.missingToken(role: "padding", token: nil)) {
            try bare.encode("a", length: 9)
        }
    }

    @Test func rolesAndSizesComeFromTheFolder() {
        #expect(llama.beginTokenID == 999)
        #expect(llama.endTokenID == 1000)
        #expect(llama.padTokenID == 1006)
        #expect(llama.unknownTokenID == nil)
        #expect(llama.vocabularySize == 1007)
        #expect(clip.vocabularySize == 1043)
        #expect(clip.unknownTokenID == 1042)
        #expect(llama.tokenToID("<|eot_id|>") == 1004)
        #expect(llama.tokenToID("no such token") == nil)
        #expect(llama.idToToken(0) == "!")
        #expect(llama.decode([-1, 1 << 40, 0]) == "!")
    }

    @Test func longTextsAndLongWordsAreEncodedWhole() {
        let text = String(repeating: "the girl dances, 12 times. ", count: 2_000)
        #expect(llama.encode(text).offsets.last?.upperBound == text.unicodeScalars.count)
        for word in ["a", " ", "1", "é", "e\u{301}", "\u{301}"] {
            let long = String(repeating: word, count: 20_000)
            let ids = llama.encode(long, addSpecialTokens: false).ids
            #expect(llama.decode(ids).unicodeScalars.elementsEqual(long.unicodeScalars))
            _ = clip.encode(long)
        }
    }
}
