/// A set of scalars, as `[^\s\p{L}]`, `\p{N}` or a single letter stand for.
///
/// The tokenizers library's regular expressions know Unicode 16: scalars that came later are
/// unassigned there, and here.
struct ScalarClass: Sendable {
    enum Item: Sendable {
        case range(ClosedRange<UInt32>)
        case whitespace
        case word
        case digit
        /// General categories by their two-letter names, or one-letter groups of them.
        case category(String)
        case inverted([Item])
    }

    private let items: [Item]
    private let isNegated: Bool
    private let ignoresCase: Bool
    /// The answers for ASCII, one bit each.
    private var ascii: (UInt64, UInt64) = (0, 0)

    init(_ items: [Item], isNegated: Bool = false, ignoresCase: Bool = false) {
        self.items = items
        self.isNegated = isNegated
        self.ignoresCase = ignoresCase
        for value in UInt8(0)..<128 where decide(Unicode.Scalar(value)) {
            if value < 64 { ascii.0 |= 1 << value } else { ascii.1 |= 1 << (value - 64) }
        }
    }

    func contains(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<64: ascii.0 >> scalar.value & 1 == 1
        case 64..<128: ascii.1 >> (scalar.value - 64) & 1 == 1
        default: decide(scalar)
        }
    }

    private func decide(_ scalar: Unicode.Scalar) -> Bool {
        var isMember = Self.isMember(scalar, of: items)
        if ignoresCase, !isMember {
            isMember = Self.caseVariants(of: scalar).contains { Self.isMember($0, of: items) }
        }
        return isMember != isNegated
    }

    private static func isMember(_ scalar: Unicode.Scalar, of items: [Item]) -> Bool {
        items.contains { item in
            switch item {
            case .range(let range): range.contains(scalar.value)
            case .whitespace: scalar.properties.isWhitespace
            case .digit: category(of: scalar) == "Nd"
            case .word: isWord(scalar) || latinNumbers.contains(scalar)
            case .category(let name): category(of: scalar).hasPrefix(name)
            case .inverted(let items): !isMember(scalar, of: items)
            }
        }
    }

    /// Superscripts and fractions of Latin-1, which count as word scalars in expressions.
    private static let latinNumbers: Set<Unicode.Scalar> = ["²", "³", "¹", "¼", "½", "¾"]

    /// The scalars that one-to-one case folding makes equal to this one, without itself.
    private static func caseVariants(of scalar: Unicode.Scalar) -> [Unicode.Scalar] {
        // The dotless i and the dotted I fold only in Turkic texts.
        guard scalar.value != 0x131, scalar.value != 0x130 else { return [] }
        func single(_ text: String) -> Unicode.Scalar? {
            text.unicodeScalars.count == 1 ? text.unicodeScalars.first : nil
        }
        let upper = single(scalar.properties.uppercaseMapping) ?? scalar
        let lower = single(upper.properties.lowercaseMapping) ?? scalar
        var variants = [upper, lower]
        if lower == "s" { variants.append("\u{17F}") }
        if lower == "k" { variants.append("\u{212A}") }
        return variants
    }
}

// MARK: - Properties

extension ScalarClass {
    static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        switch category(of: scalar) {
        case "Mn", "Mc", "Me", "Nd", "Pc": true
        case "Cn": false
        default: scalar.properties.isAlphabetic
        }
    }

    /// The general category in Unicode 16.
    static func category(of scalar: Unicode.Scalar) -> String {
        if let age = scalar.properties.age, age.major > 16 { return "Cn" }
        return names[scalar.properties.generalCategory] ?? "Cn"
    }

    private static let names: [Unicode.GeneralCategory: String] = [
        .uppercaseLetter: "Lu", .lowercaseLetter: "Ll", .titlecaseLetter: "Lt",
        .modifierLetter: "Lm", .otherLetter: "Lo", .nonspacingMark: "Mn", .spacingMark: "Mc",
        .enclosingMark: "Me", .decimalNumber: "Nd", .letterNumber: "Nl", .otherNumber: "No",
        .connectorPunctuation: "Pc", .dashPunctuation: "Pd", .openPunctuation: "Ps",
        .closePunctuation: "Pe", .initialPunctuation: "Pi", .finalPunctuation: "Pf",
        .otherPunctuation: "Po", .mathSymbol: "Sm", .currencySymbol: "Sc",
        .modifierSymbol: "Sk", .otherSymbol: "So", .spaceSeparator: "Zs",
        .lineSeparator: "Zl", .paragraphSeparator: "Zp", .control: "Cc", .format: "Cf",
        .surrogate: "Cs", .privateUse: "Co", .unassigned: "Cn",
    ]

    /// Whether a name is one of a general category or of a group of them.
    static func isCategory(_ name: String) -> Bool {
        names.values.contains { $0 == name || (name.count == 1 && $0.hasPrefix(name)) }
    }
}
