extension Scene {
    /// The bytes of one frame: 3 · side².
    public var frameBytes: Int { 3 * side * side }

    /// Draws one frame as 8-bit RGB, row by row from the top, without allocating anything.
    ///
    /// - Parameters:
    ///   - frame: the number of the frame; 0 is the start picture.
    ///   - pixels: room for exactly `frameBytes` bytes, `[side, side, 3]`.
    public func render(frame: Int, into pixels: UnsafeMutableBufferPointer<UInt8>) {
        precondition(pixels.count == frameBytes, "A frame needs \(frameBytes) bytes.")
        let seconds = Scene.seconds(frame: frame)
        paintBackground(seconds: seconds, into: pixels)
        paintActors(seconds: seconds, into: pixels)
    }

    /// Draws several frames as 8-bit RGB.
    ///
    /// - Returns: `[F, side, side, 3]`, F being the number of frames.
    public func render(frames: Range<Int>) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: frames.count * frameBytes) { buffer, count in
            buffer.initialize(repeating: 0)
            for (position, frame) in frames.enumerated() {
                let start = position * frameBytes
                let pixels = UnsafeMutableBufferPointer(
                    rebasing: buffer[start..<start + frameBytes])
                let seconds = Scene.seconds(frame: frame)
                if position == 0 || camera.kind != .fixed {
                    paintBackground(seconds: seconds, into: pixels)
                }
                paintActors(seconds: seconds, into: pixels)
                if camera.kind == .fixed, position + 1 < frames.count {
                    let next = UnsafeMutableBufferPointer(
                        rebasing: buffer[start + frameBytes..<start + 2 * frameBytes])
                    paintBackground(from: pixels, seconds: seconds, into: next)
                }
            }
            count = buffer.count
        }
    }

    /// The first frame, from which and from the caption everything else follows.
    ///
    /// - Returns: `[side, side, 3]`, 8-bit RGB.
    public var startPicture: [UInt8] { render(frames: 0..<1) }

    /// How much of each pixel objects cover.
    ///
    /// - Returns: `[side, side]`, 0 for background to 1 for objects.
    public func objectMask(frame: Int) -> [Float] {
        let seconds = Scene.seconds(frame: frame)
        var mask = [Float](repeating: 0, count: side * side)
        mask.withUnsafeMutableBufferPointer { mask in
            for actor in actors {
                let opacity = actor.opacity(seconds: seconds)
                silhouette(actor, seconds: seconds).forEachPixel(side: side) { pixel, share, _ in
                    mask[pixel] += (1 - mask[pixel]) * Float(share * opacity)
                }
            }
        }
        return mask
    }

    private func paintBackground(
        seconds: Double, into pixels: UnsafeMutableBufferPointer<UInt8>
    ) {
        let magnification = camera.magnification(seconds: seconds)
        let pixel = 1 / (Double(side) * magnification)
        let corner = camera.offset(seconds: seconds) + 0.5 - 0.5 / magnification
        let first = background.first.vector
        let change = background.second.vector - first
        for row in 0..<side {
            let y = corner.y + (Double(row) + 0.5) * pixel
            for column in 0..<side {
                let x = corner.x + (Double(column) + 0.5) * pixel
                let share = Float(background.share(SIMD2(x, y), pixel: pixel))
                store(first + change * share, row * side + column, pixels)
            }
        }
    }

    /// Makes the next frame's background from a finished frame: a copy with the objects taken out.
    private func paintBackground(
        from finished: UnsafeMutableBufferPointer<UInt8>, seconds: Double,
        into pixels: UnsafeMutableBufferPointer<UInt8>
    ) {
        _ = pixels.update(from: finished)
        let pixel = 1 / Double(side)
        let first = background.first.vector
        let change = background.second.vector - first
        for actor in actors {
            let (rows, columns) = silhouette(actor, seconds: seconds).bounds(side: side)
            for row in rows {
                for column in columns {
                    let place = SIMD2(Double(column) + 0.5, Double(row) + 0.5) * pixel
                    let share = Float(background.share(place, pixel: pixel))
                    store(first + change * share, row * side + column, pixels)
                }
            }
        }
    }

    private func paintActors(seconds: Double, into pixels: UnsafeMutableBufferPointer<UInt8>) {
        for actor in actors {
            let opacity = actor.opacity(seconds: seconds)
            guard opacity > 0 else { continue }
            let tone = actor.tone(seconds: seconds)
            let silhouette = silhouette(actor, seconds: seconds)
            let pixelWidth = 1 / silhouette.radius
            silhouette.forEachPixel(side: side) { pixel, coverage, place in
                let dark = actor.texture.darkness(place, pixel: pixelWidth)
                let colour = tone * (1 - dark * (1 - Texture.shade))
                let share = Float(coverage * opacity)
                let below = SIMD3(
                    Float(pixels[3 * pixel]), Float(pixels[3 * pixel + 1]),
                    Float(pixels[3 * pixel + 2]))
                store(below + (colour - below) * share, pixel, pixels)
            }
        }
    }

    @inline(__always)
    private func store(
        _ colour: SIMD3<Float>, _ pixel: Int, _ pixels: UnsafeMutableBufferPointer<UInt8>
    ) {
        pixels[3 * pixel] = UInt8(colour.x + 0.5)
        pixels[3 * pixel + 1] = UInt8(colour.y + 0.5)
        pixels[3 * pixel + 2] = UInt8(colour.z + 0.5)
    }
}
