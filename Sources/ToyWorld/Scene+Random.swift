extension Scene {
    /// A random scene; the same seed, configuration and split give the same scene everywhere.
    ///
    /// - Parameters:
    ///   - seed: any number.
    ///   - side: the side of the picture, in pixels; only the drawing depends on it.
    ///   - config: what the scene can contain.
    ///   - split: which combinations are wanted; others are drawn again.
    public init(seed: UInt64, side: Int, config: WorldConfig, split: Split = .any) {
        var random = SplitMix64(seed: SplitMix64.mix(seed &+ 0x5CE7_E000))
        var scene = Casting(config: config, random: random).scene(side: side, seed: seed)
        for _ in 0..<1000 where !scene.belongs(to: split) {
            random = SplitMix64(seed: random.next())
            scene = Casting(config: config, random: random).scene(side: side, seed: seed)
        }
        self = scene
    }
}

/// Draws a scene's parts, in an order in which each part can fit those before it.
private struct Casting {
    let config: WorldConfig
    var random: SplitMix64
    private var taken: Set<Colour> = []

    init(config: WorldConfig, random: SplitMix64) {
        self.config = config
        self.random = random
    }

    func scene(side: Int, seed: UInt64) -> Scene {
        var casting = self
        let cameraKind = casting.random.pick(weights: config.cameras) ?? .fixed
        let pattern = casting.random.pick(weights: config.backgrounds) {
            // Before a plain background nothing tells the camera's movement from the object's.
            cameraKind == .fixed || $0 == .checkered || $0 == .striped
        }
        let background = Background.random(
            pattern ?? (cameraKind == .fixed ? .plain : .checkered), using: &casting.random)
        var camera = Camera.fixed
        var isPassingBehind = false
        let actors: [Actor]
        if cameraKind != .fixed {
            camera = Camera(cameraKind, casting.random.pick(Camera.choices(for: cameraKind)))
            actors = [casting.resting()]
        } else if casting.random.chance(config.eventProbability) {
            actors = [casting.eventful()]
        } else {
            let count = casting.objectCount()
            isPassingBehind =
                count == 2 && casting.random.chance(config.passingBehindProbability)
            actors =
                count == 1
                ? [casting.alone()] : isPassingBehind ? casting.passing() : casting.lanes(count)
        }
        return Scene(
            side: side, background: background, camera: camera, actors: actors,
            isPassingBehind: isPassingBehind, seed: seed)
    }

    private mutating func objectCount() -> Int {
        let total = config.objectCounts.reduce(0, +)
        var remaining = random.uniform(0, total)
        for (index, weight) in config.objectCounts.prefix(3).enumerated() {
            remaining -= weight
            if remaining < 0 { return index + 1 }
        }
        return 1
    }

    // MARK: - Properties

    /// An upright object in the middle that rests; its place and motion are set afterwards.
    private mutating func body(
        size: Size? = nil, largest: Double = 1, where isAllowed: (Shape) -> Bool = { _ in true }
    ) -> Actor {
        let used = taken
        let colour = random.pick(weights: config.colours) { !used.contains($0) } ?? .red
        taken.insert(colour)
        let texture = random.pick(weights: config.textures) ?? .plain
        let shape = random.pick(weights: config.shapes, where: isAllowed) ?? .square
        let radii = (size ?? random.pick(weights: config.sizes) ?? .small).radii
        let highest = min(radii.upperBound, largest / shape.reach)
        return Actor(
            shape: shape, colour: colour,
            // Grey stripes on white would look like background, and a ring has no room for any.
            texture: colour == .white || shape == .ring || shape == .cross ? .plain : texture,
            radius: random.uniform(min(radii.lowerBound, highest), highest),
            centre: SIMD2(0.5, 0.5), motion: Motion(.still))
    }

    private mutating func motion(_ kind: MotionKind, among directions: [Direction]? = nil)
        -> Motion
    {
        let choices = Direction.choices(for: kind).filter { directions?.contains($0) ?? true }
        let direction = choices.isEmpty ? nil : random.pick(choices)
        let hasSpeed = kind != .still && kind != .falling
        return Motion(
            kind, direction, hasSpeed ? random.pick(weights: config.speeds) ?? .slow : nil)
    }

    /// A place where the whole upright object is inside the picture.
    private mutating func inside(_ actor: Actor, margin: Double = 0.02) -> SIMD2<Double> {
        let wide = actor.shape.halfWidth * actor.radius + margin
        let above = actor.shape.above * actor.radius + margin
        let below = actor.shape.below * actor.radius + margin
        return SIMD2(random.uniform(wide, 1 - wide), random.uniform(above, 1 - below))
    }

    /// The object's place, moved so that its first direction can be seen before it turns around.
    private func withRun(_ actor: Actor, _ run: Double = 0.18) -> SIMD2<Double> {
        let direction = actor.motion.direction?.vector ?? SIMD2(0, 0)
        let isForward = direction.x + direction.y > 0
        let length = direction.x != 0 ? actor.centre.x : actor.centre.y
        let isHorizontal = direction.x != 0
        let before = (isHorizontal ? actor.shape.halfWidth : actor.shape.above) * actor.radius
        let after = (isHorizontal ? actor.shape.halfWidth : actor.shape.below) * actor.radius
        let place = isForward ? min(length, 1 - after - run) : max(length, before + run)
        return isHorizontal ? SIMD2(place, actor.centre.y) : SIMD2(actor.centre.x, place)
    }

    // MARK: - One object

    private mutating func alone() -> Actor {
        let kind = random.pick(weights: config.motions) ?? .still
        var actor = body { kind != .spinning || $0.symmetry > 0 }
        actor.motion = motion(kind)
        actor.centre = inside(actor)
        let reach = actor.shape.reach
        switch kind {
        case .still: break
        case .straight: actor.centre = withRun(actor, 0.4)
        case .bouncing, .leaving: actor.centre = withRun(actor)
        case .circling:
            let orbit = random.uniform(0.2, min(0.29, 0.48 - reach * actor.radius))
            actor.centre = SIMD2(0.5, 0.5) + turned(orbit)
        case .spinning:
            let wide = reach * actor.radius + 0.02
            actor.centre = SIMD2(random.uniform(wide, 1 - wide), random.uniform(wide, 1 - wide))
            actor.angle = random.uniform(0, 2 * .pi)
        case .growing:
            let range = Motion.growthRadii
            actor.radius =
                actor.motion.direction == .larger ? range.lowerBound : range.upperBound
            let wide = reach * range.upperBound + 0.02
            actor.centre = SIMD2(random.uniform(wide, 1 - wide), random.uniform(wide, 1 - wide))
        case .falling:
            actor.centre.y = actor.shape.above * actor.radius + random.uniform(0.03, 0.15)
        }
        return actor
    }

    /// A point at a distance from the origin, in a random direction.
    private mutating func turned(_ distance: Double) -> SIMD2<Double> {
        let angle = random.uniform(0, 2 * .pi)
        return Scene.onCircle(angle: angle) * distance
    }

    /// An object under a moving camera.
    private mutating func resting() -> Actor {
        var actor = body()
        actor.centre = SIMD2(random.uniform(0.36, 0.64), random.uniform(0.36, 0.64))
        return actor
    }

    /// An object to which something happens once.
    private mutating func eventful() -> Actor {
        let kind = random.pick(weights: config.events) ?? .vanishing
        var actor = body()
        let isMoving = kind != .appearing && random.chance(0.4)
        actor.motion = motion(isMoving ? .straight : .still)
        actor.centre =
            kind == .appearing ? random.pick(Place.allCases).centre : inside(actor)
        actor.event = Event(kind, after: 1 + Int(random.unit() * 3))
        if kind == .changingColour {
            let old = actor.colour
            actor.event?.newColour =
                random.pick(weights: config.colours) { $0 != old } ?? (old == .red ? .blue : .red)
            actor.texture = .plain
        }
        return actor
    }

    // MARK: - Several objects

    /// A small object that crosses the picture behind a large one that rests.
    private mutating func passing() -> [Actor] {
        var front = body(size: .large)
        var mover = body(size: .small)
        mover.motion = motion(.straight)
        let isHorizontal = mover.motion.direction?.vector.x != 0
        // Off the middle, so that there's room to see the whole mover beside it.
        let isFirst = random.chance(0.5)
        let along = isFirst ? random.uniform(0.62, 0.68) : random.uniform(0.32, 0.38)
        let across = random.uniform(0.45, 0.55)
        let wide = mover.shape.halfWidth * mover.radius + 0.03
        let above = mover.shape.above * mover.radius + 0.03
        let below = mover.shape.below * mover.radius + 0.03
        front.centre = isHorizontal ? SIMD2(along, across) : SIMD2(across, along)
        mover.centre =
            isHorizontal
            ? SIMD2(isFirst ? wide : 1 - wide, across)
            : SIMD2(across, isFirst ? above : 1 - below)
        return [mover, front]
    }

    /// Objects side by side, each in a lane of its own so that none meets another.
    private mutating func lanes(_ count: Int) -> [Actor] {
        let isHorizontal = random.chance(0.5)
        let middles = count == 2 ? [0.255, 0.745] : [0.168, 0.5, 0.832]
        let half = count == 2 ? 0.24 : 0.164
        let directions: [Direction] =
            (isHorizontal ? [.left, .right] : [.up, .down]) + [.clockwise, .counterclockwise]
        let allowed: Set<MotionKind> =
            isHorizontal
            ? [.still, .straight, .bouncing, .spinning, .leaving]
            : [.still, .straight, .bouncing, .spinning, .leaving, .falling]
        return middles.shuffled(using: &random).enumerated().map { index, middle in
            // A caption has room for two motions only.
            let weights = count > 2 && index > 0 ? [.still: 1] : config.motions
            let kind = random.pick(weights: weights) { allowed.contains($0) } ?? .still
            var actor = body(size: count > 2 ? .small : nil, largest: half) {
                kind != .spinning || $0.symmetry > 0
            }
            actor.motion = motion(kind, among: directions)
            actor.centre = inside(actor)
            if kind == .bouncing || kind == .leaving { actor.centre = withRun(actor) }
            if kind == .spinning {
                let wide = actor.shape.reach * actor.radius + 0.02
                actor.centre = SIMD2(
                    random.uniform(wide, 1 - wide), random.uniform(wide, 1 - wide))
            }
            if kind == .falling {
                actor.centre.y = actor.shape.above * actor.radius + random.uniform(0.03, 0.15)
            }
            if isHorizontal { actor.centre.y = middle } else { actor.centre.x = middle }
            return actor
        }
    }
}
