import Models

extension Packing {
    /// The packing of the released checkpoints in an order: the nearest latent in full, 2 through
    /// k2, 16 through k4, and the frames that the order anchors a section to in full.
    ///
    /// The released inverted model's is `f1k1_x_g9_f1k1f2k2f16k4_td`, that of F1
    /// `f1k1_x_f16k4f2k2f1k1_g9`. Source: `demo_gradio.py` and `demo_gradio_f1.py`.
    ///
    /// - Parameters:
    ///   - order: The sampling order.
    ///   - window: Latents that a section generates, 1 or more.
    public static func released(_ order: SamplingOrder, window: Int = 9) -> Packing {
        let history = [(1, 1), (2, 2), (16, 4)].map {
            PackingLevel(latentCount: $0, kernel: PatchKernel(rate: $1))
        }
        return Packing(
            history: history, tail: .delete, window: window, isDiscrete: false, in: order)
    }

    /// The sampling order that the name stands for.
    ///
    /// A name that shows nothing after gN is F1 where it has an anchor before the history, else
    /// vanilla. One that shows something there is anti-drifting where it has levels right before gN
    /// too, else inverted.
    public var order: SamplingOrder {
        let (before, after) = (before, after)
        if !after.isEmpty { return before.history.isEmpty ? .inverted : .antiDrifting }
        return before.anchors.isEmpty ? .vanilla : .f1
    }

    /// The same packing for another sampling order: the same levels, tail and window on the side
    /// where the order has its history, and the frames that it anchors a section to.
    ///
    /// A name of the order stays as it is. Anchors are one frame in full: the start in F1 and inverted
    /// order, the nearest later frame in anti-drifting and planned order; vanilla order has none.
    public func adapted(to order: SamplingOrder) -> Packing {
        let own = self.order
        if own == order || (own, order) == (.antiDrifting, .planned) { return self }
        let (side, other) = before.history.isEmpty ? (after, before) : (before, after)
        // Where nothing stands right beside gN, anchors are all that there is.
        let levels = [side.history, side.anchors.first, other.anchors.first].lazy
            .compactMap { $0 }.first { !$0.isEmpty }
        return Packing(
            history: levels ?? [], tail: side.tail ?? other.tail ?? .delete, window: window,
            isDiscrete: isDiscrete, in: order)
    }

    /// The same packing with another number of generated latents.
    public func generating(_ window: Int) -> Packing {
        Packing(
            parts: parts.map { $0.isGenerated ? .generated(window) : $0 }, isDiscrete: isDiscrete)
    }

    /// Lays levels out, nearest first, as an order wants them.
    private init(
        history: [PackingLevel], tail: PackingTail, window: Int, isDiscrete: Bool,
        in order: SamplingOrder
    ) {
        let anchor = Part.frames([PackingLevel(latentCount: 1, kernel: PatchKernel(rate: 1))])
        let inTime = Part.frames(history.reversed())
        let parts: [Part] =
            switch order {
            case .vanilla: [.tail(tail), inTime, .generated(window)]
            case .f1:
                // A skip stands for what is deleted; a tail that is kept lies in it.
                [anchor, .skip] + (tail == .delete ? [] : [.tail(tail)])
                    + [inTime, .generated(window)]
            case .antiDrifting, .planned:
                [.tail(tail), inTime, .generated(window), .skip, anchor]
            case .inverted:
                [anchor, .skip, .generated(window), .frames(history), .tail(tail)]
            }
        self.init(parts: parts, isDiscrete: isDiscrete)
    }
}
