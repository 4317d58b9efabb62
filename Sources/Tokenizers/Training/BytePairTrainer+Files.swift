extension BytePairTrainer {
    private typealias Entry = (key: String, value: JSONValue)

    private static func object(_ entries: KeyValuePairs<String, JSONValue>) -> JSONValue {
        .object(entries.map { ($0.key, $0.value) })
    }

    private func vocabulary(withSpecial: Bool) -> JSONValue {
        let all = tokens + (withSpecial ? style.specialTokens : [])
        return .object(all.enumerated().map { ($0.element, .integer($0.offset)) })
    }

    private var mergeLines: [String] { merges.map { "\($0.left) \($0.right)" } }

    private func id(ofSpecial token: String) -> Int {
        tokens.count + (style.specialTokens.firstIndex(of: token) ?? 0)
    }

    private static func flags(_ token: String, isNormalized: Bool) -> [Entry] {
        [
            ("content", .string(token)), ("single_word", .bool(false)),
            ("lstrip", .bool(false)), ("rstrip", .bool(false)),
            ("normalized", .bool(isNormalized)),
        ]
    }

    private func isNormalized(_ token: String) -> Bool { token == CLIPStyle.begin }

    private func addedToken(_ token: String) -> [Entry] {
        Self.flags(token, isNormalized: isNormalized(token)) + [("special", .bool(true))]
    }

    private var addedTokens: JSONValue {
        .array(
            style.specialTokens.map {
                .object([("id", .integer(id(ofSpecial: $0)))] + addedToken($0))
            })
    }

    private var addedTokensDecoder: JSONValue {
        .object(style.specialTokens.map { ("\(id(ofSpecial: $0))", .object(addedToken($0))) })
    }

    private func role(_ token: String) -> JSONValue {
        .object(Self.flags(token, isNormalized: isNormalized(token)))
    }

    private static func byteLevel(
        addsPrefixSpace: Bool, trims: Bool, usesPattern: Bool?
    ) -> JSONValue {
        .object(
            [
                ("type", .string("ByteLevel")), ("add_prefix_space", .bool(addsPrefixSpace)),
                ("trim_offsets", .bool(trims)),
            ] + (usesPattern.map { [("use_regex", .bool($0))] } ?? []))
    }

    private static func split(
        _ pattern: String, behavior: PreTokenizer.Behavior, isInverted: Bool
    ) -> JSONValue {
        object([
            "type": "Split", "pattern": object(["Regex": .string(pattern)]),
            "behavior": .string(behavior.rawValue), "invert": .bool(isInverted),
        ])
    }
}

extension JSONValue: ExpressibleByStringLiteral {
    init(stringLiteral value: String) { self = .string(value) }
}

// MARK: - Llama 3

extension BytePairTrainer {
    /// The names and texts of a Llama 3 folder.
    var llamaFiles: [(name: String, text: String)] {
        [
            ("tokenizer.json", llamaTokenizer.text), ("tokenizer_config.json", llamaConfig.text),
            (
                "special_tokens_map.json",
                Self.object([
                    "bos_token": role(LlamaStyle.begin), "eos_token": role(LlamaStyle.end),
                    "pad_token": role(LlamaStyle.padding),
                ]).text
            ),
        ]
    }

    private var llamaConfig: JSONValue {
        Self.object([
            "added_tokens_decoder": addedTokensDecoder,
            "bos_token": .string(LlamaStyle.begin),
            "clean_up_tokenization_spaces": .bool(false),
            "eos_token": .string(LlamaStyle.end),
            "model_input_names": .array(["input_ids", "attention_mask"]),
            // How transformers write that there is no limit.
            "model_max_length": .number("1000000000000000019884624838656"),
            "pad_token": .string(LlamaStyle.padding), "padding_side": "right",
            "tokenizer_class": "PreTrainedTokenizerFast",
        ])
    }

    private var llamaTokenizer: JSONValue {
        Self.object([
            "version": "1.0", "truncation": .null, "padding": .null,
            "added_tokens": addedTokens, "normalizer": .null,
            "pre_tokenizer": Self.object([
                "type": "Sequence",
                "pretokenizers": .array([
                    Self.split(LlamaStyle.pattern, behavior: .isolated, isInverted: false),
                    Self.byteLevel(addsPrefixSpace: false, trims: true, usesPattern: false),
                ]),
            ]),
            "post_processor": Self.object([
                "type": "Sequence",
                "processors": .array([
                    Self.byteLevel(addsPrefixSpace: true, trims: false, usesPattern: true),
                    llamaTemplate,
                ]),
            ]),
            "decoder": Self.byteLevel(addsPrefixSpace: true, trims: true, usesPattern: true),
            "model": Self.object([
                "type": "BPE", "dropout": .null, "unk_token": .null,
                "continuing_subword_prefix": .null, "end_of_word_suffix": .null,
                "fuse_unk": .bool(false), "byte_fallback": .bool(false),
                "ignore_merges": .bool(true), "vocab": vocabulary(withSpecial: false),
                "merges": .array(mergeLines.map { .string($0) }),
            ]),
        ])
    }

    private var llamaTemplate: JSONValue {
        func special(_ type: Int) -> JSONValue {
            Self.object([
                "SpecialToken": Self.object([
                    "id": .string(LlamaStyle.begin), "type_id": .integer(type),
                ])
            ])
        }
        func sequence(_ name: String, _ type: Int) -> JSONValue {
            Self.object([
                "Sequence": Self.object(["id": .string(name), "type_id": .integer(type)])
            ])
        }
        let single = [special(0), sequence("A", 0)]
        return Self.object([
            "type": "TemplateProcessing", "single": .array(single),
            "pair": .array(single + [special(1), sequence("B", 1)]),
            "special_tokens": .object([
                (
                    LlamaStyle.begin,
                    Self.object([
                        "id": .string(LlamaStyle.begin),
                        "ids": .array([.integer(id(ofSpecial: LlamaStyle.begin))]),
                        "tokens": .array([.string(LlamaStyle.begin)]),
                    ])
                )
            ]),
        ])
    }
}

// MARK: - CLIP

extension BytePairTrainer {
    /// The names and texts of a CLIP folder.
    var clipFiles: [(name: String, text: String)] {
        let end = role(CLIPStyle.end)
        return [
            ("vocab.json", vocabulary(withSpecial: true).text),
            ("merges.txt", (["#version: 0.2"] + mergeLines).joined(separator: "\n") + "\n"),
            ("tokenizer.json", clipTokenizer.text), ("tokenizer_config.json", clipConfig.text),
            (
                "special_tokens_map.json",
                Self.object([
                    "bos_token": role(CLIPStyle.begin), "eos_token": end,
                    "pad_token": .string(CLIPStyle.end), "unk_token": end,
                ]).text
            ),
        ]
    }

    private var clipConfig: JSONValue {
        Self.object([
            "add_prefix_space": .bool(false), "added_tokens_decoder": addedTokensDecoder,
            "bos_token": .string(CLIPStyle.begin),
            "clean_up_tokenization_spaces": .bool(true), "do_lower_case": .bool(true),
            "eos_token": .string(CLIPStyle.end), "errors": "replace",
            "model_max_length": .integer(77), "pad_token": .string(CLIPStyle.end),
            "tokenizer_class": "CLIPTokenizer", "unk_token": .string(CLIPStyle.end),
        ])
    }

    private var clipTokenizer: JSONValue {
        func pair(_ token: String) -> JSONValue {
            .array([.string(token), .integer(id(ofSpecial: token))])
        }
        return Self.object([
            "version": "1.0", "truncation": .null, "padding": .null,
            "added_tokens": addedTokens, "normalizer": clipNormalizer,
            "pre_tokenizer": Self.object([
                "type": "Sequence",
                "pretokenizers": .array([
                    Self.split(CLIPStyle.pattern, behavior: .removed, isInverted: true),
                    Self.byteLevel(addsPrefixSpace: false, trims: true, usesPattern: nil),
                ]),
            ]),
            "post_processor": Self.object([
                "type": "RobertaProcessing", "sep": pair(CLIPStyle.end),
                "cls": pair(CLIPStyle.begin), "trim_offsets": .bool(false),
                "add_prefix_space": .bool(false),
            ]),
            "decoder": Self.byteLevel(addsPrefixSpace: true, trims: true, usesPattern: nil),
            "model": Self.object([
                "type": "BPE", "dropout": .null, "unk_token": .string(CLIPStyle.end),
                "continuing_subword_prefix": "", "end_of_word_suffix": .string(CLIPStyle.endOfWord),
                "fuse_unk": .bool(false), "vocab": vocabulary(withSpecial: true),
                "merges": .array(mergeLines.map { .string($0) }),
            ]),
        ])
    }

    private var clipNormalizer: JSONValue {
        Self.object([
            "type": "Sequence",
            "normalizers": .array([
                Self.object(["type": "NFC"]),
                Self.object([
                    "type": "Replace",
                    "pattern": Self.object(["Regex": .string(CLIPStyle.whitespace)]),
                    "content": " ",
                ]),
                Self.object(["type": "Lowercase"]),
            ]),
        ])
    }
}
