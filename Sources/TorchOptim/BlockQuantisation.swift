import Torch

/// Numbers of 8 bits for blocks of 256 values, each with a scale of its own.
///
/// A value over the largest magnitude of its block becomes the nearest of 256 numbers, which are
/// dense near zero: a dynamic exponent of up to seven decimal places, and the rest of the bits for
/// a linear fraction.
///
/// Source: Dettmers and others (arXiv:2110.02861), sections 2.1 and 2.2; the numbers of
/// bitsandbytes' `create_dynamic_map`.
struct BlockQuantisation {
    /// Values that share a scale.
    static let blockSize = 256
    /// The numbers that the codes 0 to 255 stand for, rising, `(256)` of float32.
    let codebook: Tensor
    /// Halfway between two neighbours, `(255)`.
    private let boundaries: Tensor

    /// The numbers for values of either sign, or of none.
    ///
    /// - Parameter isSigned: Second moments have no sign, which leaves a bit for the fraction.
    init(isSigned: Bool, on device: Device) throws {
        let codebook = try Self.codebook(isSigned: isSigned)
        self.codebook = try codebook.to(device)
        let (lower, upper) = (try codebook.dropLast(), try codebook.dropFirst())
        boundaries = try ((lower + upper) / 2).to(device)
    }

    /// 0, 1, and for each of seven powers of ten the middles of even parts of [0.1, 1], twice as
    /// many as for the power below; the mirror image of all but 0 and 1 too where there is a sign.
    static func codebook(isSigned: Bool) throws -> Tensor {
        let places = 7
        var numbers: [Tensor] = [try Tensor([Float(0), 1])]
        for place in 0..<places {
            let parts = 1 << (isSigned ? place : place + 1)
            let edges = try Tensor.linspace(0.1, 1, count: parts + 1)
            let middles = try (edges.dropLast() + edges.dropFirst()) / 2
            let scaled = try middles * tenths(places - 1 - place)
            numbers.append(scaled)
            if isSigned { numbers.append(try -scaled) }
        }
        return try Tensor.cat(numbers, axis: 0).sorted(0).values
    }

    private static func tenths(_ places: Int) -> Double {
        (0..<places).reduce(1) { value, _ in value / 10 }
    }

    /// The number of blocks that so many values make; the last may be short.
    static func blockCount(_ values: Int) -> Int { (values + blockSize - 1) / blockSize }

    /// The values of codes.
    ///
    /// - Parameters:
    ///   - codes: `(n, m)` of uint8, a block a row.
    ///   - scales: `(n)`.
    /// - Returns: `(n, m)` of float32.
    func values(_ codes: Tensor, _ scales: Tensor) throws -> Tensor {
        let values = try codebook.indexSelect(0, codes.to(.int32).flatten())
        return try values.reshape(codes.shape) * scales.unsqueeze(1)
    }

    /// Overwrites codes and scales with those of other values, `(n, m)` of float32.
    func store(_ values: Tensor, codes: Tensor, scales: Tensor) throws {
        let largest = try values.abs().max([1])
        try scales.copy(from: largest)
        // A block of zeros has no scale; its values stay zeros.
        let inverse = try largest.clamp(min: 1e-38).reciprocal().unsqueeze(1)
        try codes.copy(from: (values * inverse).bucketed(boundaries))
    }
}

extension Tensor {
    fileprivate func dropLast() throws -> Tensor { try narrow(0, 0, count - 1) }
    fileprivate func dropFirst() throws -> Tensor { try narrow(0, 1, count - 1) }
}
