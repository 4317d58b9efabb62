import Media

/// A picture that is drawn on with rectangles, lines, small letters and other pictures.
struct Canvas {
    /// Red, green and blue, 0 to 255.
    typealias Ink = (UInt8, UInt8, UInt8)

    private(set) var picture: Picture

    init(width: Int, height: Int) {
        picture = Picture(width: width, height: height, red: 250, green: 250, blue: 250)
    }

    mutating func fill(x: Int, y: Int, width: Int, height: Int, _ ink: Ink) {
        for row in max(y, 0)..<max(min(y + height, picture.height), max(y, 0)) {
            for column in max(x, 0)..<max(min(x + width, picture.width), max(x, 0)) {
                let at = 3 * (row * picture.width + column)
                (picture.pixels[at], picture.pixels[at + 1], picture.pixels[at + 2]) = ink
            }
        }
    }

    /// Draws square pixels `[side, side, 3]`, each of them several pixels large.
    mutating func draw(_ pixels: some Collection<UInt8>, side: Int, x: Int, y: Int, scale: Int) {
        let bytes = Array(pixels)
        for row in 0..<side {
            for column in 0..<side {
                let at = 3 * (row * side + column)
                fill(
                    x: x + column * scale, y: y + row * scale, width: scale, height: scale,
                    (bytes[at], bytes[at + 1], bytes[at + 2]))
            }
        }
    }

    /// Draws a picture, its corner at column `x` and row `y`.
    mutating func draw(_ other: Picture, x: Int, y: Int) {
        for row in 0..<other.height {
            for column in 0..<other.width {
                let (red, green, blue) = other[column, row]
                fill(x: x + column, y: y + row, width: 1, height: 1, (red, green, blue))
            }
        }
    }

    mutating func line(_ from: (x: Double, y: Double), _ to: (x: Double, y: Double), _ ink: Ink) {
        let steps = max(Int(max(abs(to.x - from.x), abs(to.y - from.y)).rounded(.up)), 1)
        for step in 0...steps {
            let share = Double(step) / Double(steps)
            fill(
                x: Int((from.x + (to.x - from.x) * share).rounded()),
                y: Int((from.y + (to.y - from.y) * share).rounded()), width: 2, height: 2, ink)
        }
    }

    /// Writes letters five pixels high, twice as large as drawn; others than those known are blank.
    mutating func write(_ text: String, x: Int, y: Int, _ ink: Ink = (40, 40, 40)) {
        var left = x
        for letter in text.uppercased() {
            let glyph = Self.glyphs[letter] ?? 0
            for row in 0..<5 {
                for column in 0..<3 where glyph >> (3 * (4 - row) + 2 - column) & 1 == 1 {
                    fill(x: left + 2 * column, y: y + 2 * row, width: 2, height: 2, ink)
                }
            }
            left += Self.letterWidth
        }
    }

    /// Pixels from one letter to the next.
    static let letterWidth = 8

    /// Letters of three by five dots; an octal digit is a row from the top.
    private static let glyphs: [Character: Int] = [
        "0": 0o75557, "1": 0o26227, "2": 0o71747, "3": 0o71717, "4": 0o55711, "5": 0o74717,
        "6": 0o74757, "7": 0o71111, "8": 0o75757, "9": 0o75717, "A": 0o25755, "B": 0o65656,
        "C": 0o34443, "D": 0o65556, "E": 0o74647, "F": 0o74644, "G": 0o34553, "H": 0o55755,
        "I": 0o72227, "J": 0o11152, "K": 0o55655, "L": 0o44447, "M": 0o57755, "N": 0o65555,
        "O": 0o25552, "P": 0o65644, "Q": 0o25563, "R": 0o65655, "S": 0o34216, "T": 0o72222,
        "U": 0o55557, "V": 0o55552, "W": 0o55775, "X": 0o55255, "Y": 0o55222, "Z": 0o71247,
        "^": 0o25000, "_": 0o00007, "(": 0o12221, ")": 0o42224, "+": 0o02720,
        ".": 0o00002, "%": 0o51245, "-": 0o00700, "/": 0o11244, ":": 0o02020, ",": 0o00024,
    ]
}
