import Models

extension StepCacheChoice {
    /// The threshold where none is asked for: what the method's authors take; nil without a cache.
    public var defaultThreshold: Double? {
        switch self {
        case .none: nil
        case .teacache: TeaCachePolicy.defaultThreshold
        case .magcache: MagCachePolicy.defaultThreshold
        case .easycache: EasyCachePolicy.defaultThreshold
        case .firstBlock: FirstBlockPolicy.defaultThreshold
        }
    }
}

/// A step cache as it was chosen: it makes the cache of each branch of each section.
public struct StepCacheSetup: Sendable {
    /// What decides at the beginning of a section.
    private enum Method {
        case tea(TeaCachePolicy)
        case mag(MagCachePolicy)
        case easy(EasyCachePolicy)
        case first(FirstBlockPolicy)
    }

    private let method: Method

    /// Takes a choice; nil where every step is computed.
    ///
    /// - Parameters:
    ///   - choice: What reuses work between steps.
    ///   - threshold: The threshold, 0 to 1; nil for the method's own.
    ///   - stepCount: Steps of a section.
    ///   - ratios: What MagCache has to know of the model; called for that choice alone.
    /// - Throws: What `ratios` throws.
    public init?(
        _ choice: StepCacheChoice, threshold: Double?, stepCount: Int,
        ratios: () throws -> MagnitudeRatios
    ) rethrows {
        guard let threshold = threshold ?? choice.defaultThreshold else { return nil }
        switch choice {
        case .none: return nil
        case .teacache:
            method = .tea(TeaCachePolicy(threshold: threshold, stepCount: stepCount))
        case .magcache:
            method = .mag(
                MagCachePolicy(try ratios(), threshold: threshold, stepCount: stepCount))
        case .easycache:
            method = .easy(EasyCachePolicy(threshold: threshold, stepCount: stepCount))
        case .firstBlock: method = .first(FirstBlockPolicy(threshold: threshold))
        }
    }

    /// The cache of one branch of one section, around the transformer.
    public func cache(_ denoiser: TransformerDenoiser) -> any StepCache {
        switch method {
        case .tea(let policy): BlockCache.teaCache(denoiser, policy)
        case .mag(let policy): BlockCache.magCache(denoiser, policy)
        case .easy(let policy): EasyCache(denoiser, policy)
        case .first(let policy): BlockCache.firstBlock(denoiser, policy)
        }
    }
}
