import FramePackMetrics

/// All that was seen of one promised object, and what follows from it.
struct ObjectRecord {
    let facts: ObjectFacts
    let camera: Camera
    let sightings: [Sighting]

    func report() -> ObjectReport {
        let sections = sections()
        return ObjectReport(
            facts: facts, isRight: isRight(), sections: sections,
            happensWhenTold: happensWhenTold(), changesColourWhenTold: changesColourWhenTold(),
            drift: drift(), positionErrors: sightings.map(\.positionError))
    }

    // MARK: - Sections

    private func sections() -> [SectionReport] {
        let length = Judge.sectionFrames
        // A last section that is half there or more counts.
        let count = (sightings.count - 1 + length / 2) / length
        return (0..<count).map { section in
            let start = section * length
            let end = min(start + length + 1, sightings.count)
            // Movement needs the frame before the section, the rest doesn't.
            return sectionReport(section, sightings[start + 1..<end], sightings[start..<end])
        }
    }

    private func sectionReport(
        _ section: Int, _ own: ArraySlice<Sighting>, _ movement: ArraySlice<Sighting>
    ) -> SectionReport {
        let presence = presence(own)
        let isAlways = movement.allSatisfy { $0.isExpected == true }
        let finding =
            isAlways
            ? Movement(
                object: facts, camera: camera, detections: movement.map(\.detection)[...],
                isFirst: section == 0
            ).finding() : nil
        return SectionReport(
            section: section, isPresent: presence.map { $0 >= facts.leastPresence },
            hasColour: share(own, colourMatch).map { $0 > 0.5 },
            hasShape: share(own, shapeMatch).map { $0 > 0.5 },
            hasDirection: finding?.isRight, speed: finding?.speed,
            positionError: mean(own, \.positionError),
            sharpness: mean(own) { $0.detection?.sharpness })
    }

    /// The share of frames in which the object is there, among those in which it should be.
    private func presence(_ sightings: ArraySlice<Sighting>) -> Double? {
        mean(sightings) { sighting in
            sighting.isExpected == true ? sighting.detection == nil ? 0 : 1 : nil
        }
    }

    private func colourMatch(_ sighting: Sighting) -> Bool? {
        guard sighting.isExpected == true, let detection = sighting.detection,
            let colour = sighting.expectedColour
        else { return nil }
        return detection.colour == colour
    }

    private func shapeMatch(_ sighting: Sighting) -> Bool? {
        guard sighting.isExpected == true, let shape = sighting.detection?.shape else { return nil }
        return shape == facts.shape
    }

    private func isRight() -> Bool? {
        let all = sightings[...]
        guard let presence = presence(all) else { return nil }
        return presence >= facts.leastPresence && (share(all, colourMatch) ?? 0) > 0.5
            && (share(all, shapeMatch) ?? 1) > 0.5
    }

    // MARK: - Events

    private func happensWhenTold() -> Bool? {
        guard let event = facts.event, event.kind != .changingColour else { return nil }
        let absent = sightings.filter { $0.isExpected == false }
        let present = sightings.filter { $0.isExpected == true }
        guard absent.count >= 6, present.count >= 6 else { return nil }
        let wrong = Double(absent.count { $0.detection != nil }) / Double(absent.count)
        let right = Double(present.count { $0.detection != nil }) / Double(present.count)
        return wrong <= 0.15 && right >= facts.leastPresence
    }

    private func changesColourWhenTold() -> Bool? {
        guard let event = facts.event, event.kind == .changingColour else { return nil }
        let moment = event.second * Scene.frameRate
        guard sightings.count >= moment + ObjectFacts.eventSlack + 6 else { return nil }
        let before = share(sightings[..<moment], colourMatch) ?? 0
        let after = share(sightings[moment...], colourMatch) ?? 0
        return before > 0.5 && after > 0.5
    }

    // MARK: - Drift

    private func drift() -> [DriftMetric: Double] {
        DriftMetric.allCases.reduce(into: [:]) { drift, metric in
            drift[metric] = Drift.of(sightings.map { value(metric, $0) })
        }
    }

    private func value(_ metric: DriftMetric, _ sighting: Sighting) -> Double? {
        guard sighting.isExpected == true else { return nil }
        switch metric {
        case .presence: return sighting.detection == nil ? 0 : 1
        case .colour: return colourMatch(sighting).map { $0 ? 1 : 0 }
        case .shape: return shapeMatch(sighting).map { $0 ? 1 : 0 }
        case .fit: return sighting.detection?.fits?[facts.shape]
        case .sharpness: return sighting.detection?.sharpness
        case .position: return sighting.positionError
        case .background: return nil
        }
    }

    // MARK: - Means

    private func mean(_ sightings: ArraySlice<Sighting>, _ value: (Sighting) -> Double?)
        -> Double?
    {
        let values = sightings.compactMap(value)
        return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
    }

    private func share(_ sightings: ArraySlice<Sighting>, _ test: (Sighting) -> Bool?) -> Double? {
        mean(sightings) { test($0).map { $0 ? 1 : 0 } }
    }
}
