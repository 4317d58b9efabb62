import Testing
import ToyWorld

@Suite struct CaptionTests {
    @Test func captionsNameWhatTheFirstFrameCannotShow() {
        for scene in scenes(400) {
            let captions = scene.captions(count: 5) + [scene.canonicalCaption]
            for caption in captions {
                let words = words(caption)
                for object in scene.facts.objects {
                    for wanted in wanted(object) {
                        #expect(
                            !wanted.isDisjoint(with: words), "\(caption) lacks one of \(wanted)")
                    }
                }
                if let direction = scene.camera.direction {
                    let zoom: Set<String> = ["zooms"]
                    let isZoom = direction == .larger || direction == .smaller
                    #expect(words.contains("camera"))
                    #expect(!(isZoom ? zoom : straight(direction)).isDisjoint(with: words))
                }
            }
        }
    }

    @Test func captionsAreShortAndTheVocabularyIsSmall() {
        let corpus = Captions.corpus(count: 8000, seed: 3)
        let longest = corpus.map { $0.split(separator: " ").count }.max() ?? 0
        let vocabulary = Set(corpus.flatMap(words))
        print("longest caption: \(longest) words; vocabulary: \(vocabulary.count) words")
        #expect(longest <= Scene.longestCaption)
        #expect(vocabulary.count <= 120)
        #expect(corpus == Captions.corpus(count: 8000, seed: 3))
        #expect(corpus != Captions.corpus(count: 8000, seed: 4))
    }

    @Test func captionsVary() {
        for scene in scenes(40) {
            #expect(Set(scene.captions(count: 12)).count >= 4)
        }
    }

    @Test func showcaseDescribesItself() {
        let items = Showcase.items(side: 64)
        #expect(items.count == 6)
        #expect(items.first?.prompt == "a red circle moves slowly to the right")
        #expect(Set(items.map(\.name)).count == 6)
        for item in items {
            #expect(item.picture.count == 64 * 64 * 3)
            #expect(item.prompt == item.scene.canonicalCaption)
            #expect(!item.scene.isHeldOut)
        }
    }

    private func words(_ caption: String) -> Set<String> {
        Set(caption.lowercased().split { !$0.isLetter }.map(String.init))
    }

    private func straight(_ direction: Direction) -> Set<String> {
        switch direction {
        case .up: ["up", "upward", "top"]
        case .down: ["down", "downward", "bottom"]
        default: [direction.rawValue]
        }
    }

    /// Sets of words, of each of which a caption must have one.
    private func wanted(_ object: ObjectFacts) -> [Set<String>] {
        var wanted: [Set<String>] = [[object.colour.rawValue]]
        switch object.shape {
        case .circle: wanted.append(["circle", "ball", "disc"])
        case .square: wanted.append(["square", "box"])
        default: wanted.append([object.shape.rawValue])
        }
        switch object.motion.speed {
        case .slow: wanted.append(["slowly"])
        case .quick: wanted.append(["quickly", "fast"])
        case nil: break
        }
        switch object.motion.kind {
        case .growing:
            wanted.append(["grows", "larger"])
            wanted.append(["shrinks", "smaller"])
        case .falling: wanted.append(["falls", "drops"])
        default: object.motion.direction.map { wanted.append(straight($0)) }
        }
        if let event = object.event {
            wanted.append([["one", "two", "three"][event.second - 1]])
            switch event.kind {
            case .vanishing: wanted.append(["vanishes", "disappears"])
            case .appearing: wanted.append(["appears", "comes"])
            case .changingColour: wanted.append([event.newColour?.rawValue ?? "?"])
            }
        }
        return wanted
    }
}
