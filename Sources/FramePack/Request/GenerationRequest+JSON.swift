public import Foundation

extension GenerationRequest: Decodable {
    /// Reads a request; what is left out has its default.
    ///
    /// - Throws: `FramePackError` for a key that is not known, a value of the wrong type, or a
    ///   missing prompt. Ranges are left to `validate()`.
    public init(from decoder: any Decoder) throws {
        try KnownKeys.check(
            decoder, within: "The request", known: CodingKeys.allCases.map(\.rawValue))
        let fields = RequestFields(container: try decoder.container(keyedBy: CodingKeys.self))
        self.init(prompt: "")
        try readTexts(fields)
        try readLengthAndSize(fields)
        try readSampling(fields)
        try readOutput(fields)
    }

    private mutating func readTexts(_ fields: RequestFields) throws {
        try fields.read(.prompt, "a text", into: &prompt)
        try fields.read(.promptAt, "a list of {\"seconds\", \"text\"}", into: &promptAt)
        try fields.read(.negativePrompt, "a text", into: &negativePrompt)
        try fields.read(.image, "a path", into: &image)
        try fields.read(.endImage, "a path", into: &endImage)
    }

    private mutating func readLengthAndSize(_ fields: RequestFields) throws {
        try fields.read(.seconds, "a number", into: &seconds)
        try fields.read(.frames, "a whole number", into: &frames)
        try fields.read(.fps, "a whole number", into: &fps)
        try fields.read(.height, "a whole number", into: &height)
        try fields.read(.width, "a whole number", into: &width)
        try fields.read(.resolution, "a whole number", into: &resolution)
    }

    private mutating func readSampling(_ fields: RequestFields) throws {
        try fields.read(.order, SamplingOrder.self) { order = $0 }
        try fields.readPacking { packing = $0 }
        try fields.read(.historyOrder, HistoryOrder.self) { historyOrder = $0 }
        try fields.read(.historyTimeWeight, "a number", into: &historyTimeWeight)
        try fields.read(.endpoint, "a list of {\"seconds\", \"text\"}", into: &endpoint)
        try fields.read(.window, "a whole number", into: &window)
        try fields.read(.seed, "a whole number", into: &seed)
        try fields.read(.steps, "a whole number", into: &steps)
        try fields.read(.sampler, SamplerChoice.self) { sampler = $0 }
        try fields.read(.shift, "a number", into: &shift)
        try fields.read(.guidance, "a number", into: &guidance)
        try fields.read(.cfg, "a number", into: &cfg)
        try fields.read(.guidanceRescale, "a number", into: &guidanceRescale)
        try fields.read(.stepCache, StepCacheChoice.self) { stepCache = $0 }
        try fields.read(.threshold, "a number", into: &threshold)
        try fields.read(.contextRefresh, "a whole number", into: &contextRefresh)
        try fields.read(.parity, "true or false", into: &parity)
    }

    private mutating func readOutput(_ fields: RequestFields) throws {
        try fields.read(.decode, DecodeChoice.self) { decode = $0 }
        try fields.read(.tiling, "true or false", into: &tiling)
        try fields.read(.dtype, PrecisionChoice.self) { dtype = $0 }
        try fields.read(.weightFormat, WeightFormatChoice.self) { weightFormat = $0 }
        try fields.read(.model, "a path", into: &model)
        try fields.read(
            .lora, "a list of {\"file\", \"strength\", \"strengthAt\"}", into: &lora)
        try fields.read(.output, "a path", into: &output)
        try fields.read(.format, OutputFormat.self) { format = $0 }
        try fields.read(.crf, "a whole number", into: &crf)
        try fields.read(.keepJob, "true or false", into: &keepJob)
    }

    /// Reads a request from JSON.
    ///
    /// - Throws: `FramePackError` that says what in the text is wrong.
    public init(json: Data) throws(FramePackError) {
        do {
            self = try JSONDecoder().decode(Self.self, from: json)
        } catch let error as FramePackError {
            throw error
        } catch DecodingError.typeMismatch {
            throw .malformedJSON("The request is not a JSON object; write {\"prompt\": \"...\"}.")
        } catch {
            throw .malformedJSON("The request is not valid JSON; look for a comma or quote.")
        }
    }

    /// The request as readable JSON, with its keys in alphabetical order.
    ///
    /// - Throws: `EncodingError` where a number is infinite or not a number.
    public func json() throws -> Data {
        try JSONEncoder.sorted.encode(self)
    }
}

/// The fields of a request's JSON object, read with errors that name them.
private struct RequestFields {
    typealias Key = GenerationRequest.CodingKeys
    let container: KeyedDecodingContainer<Key>

    func read<Value: Decodable>(_ key: Key, _ wanted: String, into field: inout Value) throws {
        if let value: Value = try value(key, wanted) { field = value }
    }

    func read<Value: Decodable>(_ key: Key, _ wanted: String, into field: inout Value?) throws {
        field = try value(key, wanted)
    }

    func read<Choice: RawRepresentable & CaseIterable>(
        _ key: Key, _ type: Choice.Type, set: (Choice) -> Void
    ) throws where Choice.RawValue == String {
        let names = Choice.allCases.map(\.rawValue)
        let wanted = "one of " + names.joined(separator: ", ")
        guard let name: String = try value(key, wanted) else { return }
        guard let choice = Choice(rawValue: name) else {
            throw FramePackError.invalidSetting(
                name: key.rawValue, found: "\"\(name)\"", wanted: wanted)
        }
        set(choice)
    }

    func readPacking(set: (Packing) -> Void) throws {
        guard let name: String = try value(.packing, "a name such as td_f16k4f4k2f1k1_g9") else {
            return
        }
        do throws(PackingNameError) {
            set(try Packing(name: name))
        } catch {
            throw FramePackError.packingName(error)
        }
    }

    private func value<Value: Decodable>(_ key: Key, _ wanted: String) throws -> Value? {
        do {
            return try container.decodeIfPresent(Value.self, forKey: key)
        } catch let error as FramePackError {
            throw error
        } catch {
            throw FramePackError.invalidSetting(
                name: key.rawValue, found: "of another type", wanted: wanted)
        }
    }
}
