import Foundation
import FramePack
import FramePackTraining
import Media
import TestSupport
import Testing

@Suite struct SteadyReaderTests {
    /// Frames of rising grey, so that each says its number.
    private func write(_ count: Int, rate: Int, to file: URL) throws {
        let writer = try VideoWriter(
            to: file, width: 16, height: 16,
            encoding: VideoEncoding(framesPerSecond: rate, constantRateFactor: 0))
        for number in 0..<count {
            let grey = UInt8(number * 4)
            try writer.write(Picture(width: 16, height: 16, red: grey, green: grey, blue: grey))
        }
        try writer.finish()
    }

    @Test(arguments: [
        (30, Array(0..<12)), (60, [0, 2, 4, 6, 8, 10]), (15, [0, 0, 1, 1, 2, 2, 3, 3]),
    ])
    func framesComeAtAnEvenRate(_ rate: Int, _ wanted: [Int]) throws {
        try withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("a.mp4")
            try write(rate == 15 ? 4 : 12, rate: rate, to: file)
            let reader = try SteadyReader(file, rate: 30)
            var (numbers, repeated) = ([Int](), [Bool]())
            while let frame = try reader.next() {
                numbers.append(Int((Double(frame.picture.pixels[0]) / 4).rounded()))
                repeated.append(frame.isRepeated)
            }
            #expect(numbers == wanted)
            #expect(repeated == wanted.indices.map { $0 > 0 && wanted[$0] == wanted[$0 - 1] })
        }
    }

    /// Numbers of the frames that a reader gives, whose grey rises in steps.
    private func numbers(_ reader: SteadyReader, step: Double = 4) throws -> [Int] {
        var numbers: [Int] = []
        while let frame = try reader.next() {
            numbers.append(number(frame.picture, step: step))
        }
        return numbers
    }

    private func number(_ picture: Picture, step: Double) -> Int {
        Int((Double(picture.pixels[0]) / step).rounded())
    }

    @Test func nearlyTheRateIsTakenAsItIs() throws {
        try withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("a.mp4")
            try write(40, rate: 30, to: file)
            for rate in [29.97, 30.03] {
                let reader = try SteadyReader(file, rate: 30, sourceRate: rate)
                #expect(reader.expectedCount == 40)
                #expect(try numbers(reader) == Array(0..<40))
            }
            let slower = try SteadyReader(file, rate: 30, sourceRate: 15)
            #expect(slower.expectedCount == 80)
            #expect(try numbers(slower) == (0..<80).map { $0 / 2 })
        }
    }

    /// The cache of a training takes the frames that prepared clips have: those shown at the time,
    /// where frames do not last alike.
    @Test func framesOfUnevenLengthAreThoseShownAtTheTime() throws {
        try withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("a.gif")
            let pictures = (0..<6).map { number in
                let grey = UInt8(number * 40)
                return Picture(width: 16, height: 16, red: grey, green: grey, blue: grey)
            }
            var rest = pictures[...]
            let writer = try GIFWriter(
                to: file, width: 16, height: 16, framesPerSecond: 10,
                palette: Palette(of: { rest.popFirst() }))
            for picture in pictures { try writer.write(picture) }
            try writer.finish()
            // How long each frame is shown, in hundredths of a second, behind 21 F9 04 and flags.
            var bytes = [UInt8](try Data(contentsOf: file))
            var places = bytes.indices.dropLast(8).filter {
                Array(bytes[$0..<$0 + 3]) == [0x21, 0xF9, 4]
            }[...]
            #expect(places.count == 6)
            for delay in [10, 40, 10, 30, 10, 20] {
                guard let place = places.popFirst() else { break }
                (bytes[place + 4], bytes[place + 5]) = (UInt8(delay), 0)
            }
            try Data(bytes).write(to: file)
            let wanted = zip(0..<6, [3, 12, 3, 9, 3, 6]).flatMap { [Int](repeating: $0, count: $1) }
            #expect(try numbers(SteadyReader(file, rate: 30), step: 40) == wanted)
            let source = try FrameSource(file, framesPerSecond: nil)
            #expect(source.frameCount == wanted.count)
            var clips: [[Int]] = [[], []]
            try source.read([0..<9, 5..<36], size: FrameSize(height: 16, width: 16)) {
                clips[$0] = $1.map { number($0, step: 40) }
            }
            #expect(clips == [Array(wanted[0..<9]), Array(wanted[5..<36])])
        }
    }
}

@Suite struct SceneFinderTests {
    private let finder = SceneFinder(cutThreshold: 12, cutRatio: 3)

    private func trace(_ changes: [Double], contrast: [Double]? = nil) -> [FrameTrace] {
        changes.enumerated().map {
            FrameTrace(change: $0.element, contrast: contrast?[$0.offset] ?? 50)
        }
    }

    @Test func aJumpIsACutAndFastMovementIsNone() {
        var changes = [Double](repeating: 1, count: 40)
        changes[0] = 0
        changes[15] = 30
        #expect(finder.scenes(trace(changes)) == [0..<15, 15..<40])
        // Everything is quick here: jumps of 20 are what this scene is like.
        #expect(finder.scenes(trace(changes.map { _ in 20 })) == [0..<40])
        changes[15] = 11
        #expect(finder.scenes(trace(changes)) == [0..<40])
    }

    @Test func aFadeBelongsToNoScene() {
        let out = (0..<10).map { 50 * Double(9 - $0) / 10 }
        let contrast =
            [Double](repeating: 50, count: 20) + out + [0, 0] + out.reversed() + [50, 50]
        let changes = contrast.indices.map { _ in 2.0 }
        // 45 … 5 and 0, twice; what is in full stays.
        #expect(finder.scenes(trace(changes, contrast: contrast)) == [0..<20, 42..<44])
    }

    @Test func nothingHasNoScenes() {
        #expect(finder.scenes([]) == [])
        #expect(finder.scenes(trace([0, 0], contrast: [0, 0])) == [])
    }
}

@Suite struct FootagePreparationTests {
    private var options: FootageOptions {
        var options = FootageOptions()
        options.resolution = RawFootage.side
        return options
    }

    /// Two scenes with a hard cut, one that fades, one that stands still, one out of focus.
    private func write(to folder: URL) throws {
        var joined = RawFootage()
        joined.add(RawFootage.scene(3, frames: 0..<80))
        joined.add(RawFootage.scene(8, frames: 0..<45))
        joined.addFadingOut(RawFootage.scene(5, frames: 0..<60), over: 15)
        let still = RawFootage.scene(6, frames: 0..<1)
        joined.add([Picture](repeating: still[0], count: 40))
        joined.add(RawFootage.blurred(RawFootage.scene(7, frames: 0..<40)))
        joined.add(RawFootage.scene(9, frames: 0..<20))
        try joined.write(to: folder.appendingPathComponent("joined.mp4"))
        try Data("this is no video".utf8).write(
            to: folder.appendingPathComponent("broken.mp4"))
        try Data("a note".utf8).write(to: folder.appendingPathComponent("note.txt"))
    }

    private func lines(_ folder: URL) throws -> [[String: String]] {
        let text = try String(
            contentsOf: folder.appendingPathComponent("captions.jsonl"), encoding: .utf8)
        return try text.split(separator: "\n").map {
            try JSONDecoder().decode([String: String].self, from: Data($0.utf8))
        }
    }

    private func contents(_ folder: URL) throws -> [String: Date] {
        var dates: [String: Date] = [:]
        let names = FileManager.default.enumerator(atPath: folder.path)
        while let name = names?.nextObject() as? String {
            let file = folder.appendingPathComponent(name).path
            dates[name] =
                try FileManager.default.attributesOfItem(atPath: file)[.modificationDate] as? Date
        }
        return dates
    }

    @Test func rawVideoBecomesClipsAndWhatIsLeftOutIsSaid() throws {
        try withTemporaryFolder { folder in
            let (raw, output) = (
                folder.appendingPathComponent("raw"), folder.appendingPathComponent("set")
            )
            try FileManager.default.createDirectory(at: raw, withIntermediateDirectories: true)
            try write(to: raw)
            let report = try FootagePreparation(folder: output, options: options, captions: .both)
                .run([raw])
            print(report.text)
            let joined = try #require(report.videos.first { $0.problem == nil })
            let found = joined.clips.map {
                "\($0.firstFrame)+\($0.frames) \($0.flaw?.rawValue ?? "")"
            }
            for clip in joined.clips { print("    \(clip)") }
            #expect(
                found == [
                    "0+73 ", "80+37 ", "125+37 ", "190+37 still", "230+37 blurred", "270+20 short",
                ])
            #expect(joined.frames == 290 && joined.scenes == 6)
            let broken = try #require(report.videos.first { $0.problem != nil })
            #expect(broken.problem?.contains("broken.mp4 cannot be read") == true)
            #expect(report.text.contains("broken.mp4"))
            #expect(report.text.contains("not sharp"))

            for clip in joined.kept {
                let reader = try VideoReader(
                    contentsOf: output.appendingPathComponent("clips/\(clip.file)"))
                #expect(reader.frameCount == clip.frames && reader.framesPerSecond == 30)
                #expect((reader.width, reader.height) == (clip.size.width, clip.size.height))
                let first = try #require(try reader.next())
                let source = [0: 3, 80: 8, 125: 5][clip.firstFrame] ?? 0
                let wanted = RawFootage.scene(UInt64(source), frames: 0..<1)[0]
                let difference = zip(first.pixels, wanted.pixels)
                    .reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
                #expect(difference < 4 * wanted.pixels.count)
            }
            try #expect(
                lines(output).map { URL(fileURLWithPath: $0["video_path"] ?? "").lastPathComponent }
                    == joined.kept.map(\.file))
            #expect(try lines(output).allSatisfy { $0["caption"] == "" })
            let dataset = try String(
                contentsOf: output.appendingPathComponent("dataset.toml"), encoding: .utf8)
            #expect(dataset.contains("video_jsonl_file = \"\(output.path)/captions.jsonl\""))
            #expect(dataset.contains("max_frames = 145"))
        }
    }

    @Test func aSecondRunDoesNothingAndCaptionsStay() throws {
        try withTemporaryFolder { folder in
            try write(to: folder)
            let output = folder.appendingPathComponent("set")
            let preparation = try FootagePreparation(
                folder: output, options: options, captions: .both)
            let first = try preparation.run([folder])
            // A person writes captions, and removes a clip.
            let kept = first.videos.flatMap(\.kept).map(\.file)
            let list = output.appendingPathComponent("captions.jsonl")
            let text = try String(contentsOf: list, encoding: .utf8)
            try Data(
                text.replacingOccurrences(of: "\"caption\":\"\"", with: "\"caption\":\"it moves\"")
                    .utf8
            ).write(to: list)
            let note = output.appendingPathComponent("clips/\(kept[0])")
                .deletingPathExtension().appendingPathExtension("txt")
            try Data("written by hand".utf8).write(to: note)
            try FileManager.default.removeItem(
                at: output.appendingPathComponent("clips/\(kept[1])"))
            let before = try contents(output)

            var events = 0
            let second = try preparation.run([folder]) { _ in events += 1 }
            #expect(second == first && events == 0)
            let after = try contents(output)
            #expect(after.keys == before.keys)
            for name in before.keys where name.hasPrefix("clips/") {
                #expect(after[name] == before[name])
            }
            #expect(try lines(output).map { $0["caption"] } == ["it moves", "it moves"])
            #expect(try String(contentsOf: note, encoding: .utf8) == "written by hand")
            // Other options would give other clips under the same names.
            var other = options
            other.leastMotion = 3
            let error = #expect(throws: TrainingError.self) {
                try FootagePreparation(folder: output, options: other).run([folder])
            }
            #expect(error?.description.contains("other options") == true)
        }
    }

    /// A video that was cut anew has other clips; what is written of the old ones goes.
    @Test func captionsOfAVideoThatChangedAreThoseOfItsNewClips() throws {
        try withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("a.mp4")
            var before = RawFootage()
            before.add(RawFootage.scene(3, frames: 0..<45))
            before.add(RawFootage.scene(8, frames: 0..<45))
            try before.write(to: file)
            let output = folder.appendingPathComponent("set")
            let preparation = try FootagePreparation(folder: output, options: options)
            let old = try preparation.run([file]).videos[0].kept.map(\.file)
            #expect(old.count == 2)
            let list = output.appendingPathComponent("captions.jsonl")
            let text = try String(contentsOf: list, encoding: .utf8)
                .replacing("\"caption\":\"\"", with: "\"caption\":\"it moves\"")
            let own = "{\"caption\":\"by hand\",\"video_path\":\"/elsewhere/b.mp4\"}\n"
            try Data((text + own).utf8).write(to: list)

            var after = RawFootage()
            after.add(RawFootage.scene(3, frames: 0..<60))
            after.add(RawFootage.scene(8, frames: 0..<45))
            try after.write(to: file)
            let new = try preparation.run([file]).videos[0].kept.map(\.file)
            #expect(new.count == 2 && new[0] == old[0] && new[1] != old[1])
            let found = try lines(output)
            #expect(
                Set(found.map { URL(fileURLWithPath: $0["video_path"] ?? "").lastPathComponent })
                    == Set(new + ["b.mp4"]))
            #expect(Set(found.map { $0["caption"] }) == ["it moves", "by hand", ""])

            // What cannot be read any more has no clips at all.
            try Data("broken".utf8).write(to: file)
            _ = try preparation.run([file])
            #expect(try lines(output).map { $0["caption"] } == ["by hand"])
        }
    }

    /// Ended at any event and taken up again, the result is that of one run.
    @Test func anInterruptedRunGoesOn() throws {
        try withTemporaryFolder { folder in
            try write(to: folder)
            let whole = try FootagePreparation(
                folder: folder.appendingPathComponent("whole"), options: options
            ).run([folder.appendingPathComponent("joined.mp4")])
            let output = folder.appendingPathComponent("parts")
            let preparation = try FootagePreparation(folder: output, options: options)
            for end in [100, 330, 100] {
                let token = CancellationToken()
                var events = 0
                #expect(throws: FramePackError.self) {
                    try preparation.run(
                        [folder.appendingPathComponent("joined.mp4")], cancellation: token
                    ) { _ in
                        events += 1
                        if events == end { token.cancel() }
                    }
                }
            }
            var written = 0
            let report = try preparation.run([folder.appendingPathComponent("joined.mp4")]) {
                if case .progress(_, false, _) = $0 { written += 1 }
            }
            // It was looked through already.
            #expect(written == 0)
            #expect(report == whole)
            for clip in report.videos.flatMap(\.kept) {
                let parts = ["whole", "parts"].map {
                    folder.appendingPathComponent("\($0)/clips/\(clip.file)")
                }
                let (a, b) = (try Data(contentsOf: parts[0]), try Data(contentsOf: parts[1]))
                #expect(a == b)
            }
        }
    }

    @Test(arguments: [10, 24])
    func aDissolveBelongsToNoScene(_ length: Int) throws {
        try withTemporaryFolder { folder in
            var footage = RawFootage()
            footage.add(RawFootage.scene(3, frames: 0..<80))
            footage.addDissolving(RawFootage.scene(8, frames: 0..<80), over: length)
            let file = folder.appendingPathComponent("a.mp4")
            try footage.write(to: file)
            let report = try FootagePreparation(
                folder: folder.appendingPathComponent("set"), options: options
            ).run([file])
            let kept = report.videos[0].kept
            print("    \(kept.map { $0.firstFrame..<$0.firstFrame + $0.frames })")
            #expect(report.videos[0].scenes == 2)
            // Frames 80 - length to 79 are both scenes at once; up to eight more may go on either side.
            #expect(kept.count == 2)
            #expect(kept[0].firstFrame == 0 && kept[0].frames == 37)
            #expect((80...88).contains(kept[1].firstFrame))
        }
    }

    @Test func whatIsNoVideoAtAllIsAnError() throws {
        try withTemporaryFolder { folder in
            let preparation = try FootagePreparation(folder: folder, options: options)
            let none = #expect(throws: TrainingError.self) { try preparation.run([folder]) }
            #expect(none?.description.contains("no video in") == true)
            let missing = #expect(throws: TrainingError.self) {
                try preparation.run([folder.appendingPathComponent("gone.mp4")])
            }
            #expect(missing?.description.contains("gone.mp4 is not there") == true)
            var bad = options
            bad.mostSections = 0
            #expect(throws: TrainingError.self) {
                try FootagePreparation(folder: folder, options: bad)
            }
        }
    }

    @Test func smallPicturesAndFewFramesAreLeftOut() throws {
        try withTemporaryFolder { folder in
            var footage = RawFootage()
            footage.add(RawFootage.scene(3, frames: 0..<40))
            let file = folder.appendingPathComponent("slow.mp4")
            try footage.write(to: file, framesPerSecond: 12)
            let slow = try FootagePreparation(
                folder: folder.appendingPathComponent("slow"), options: options
            ).run([file])
            #expect(slow.videos[0].clips.allSatisfy { $0.flaw == .slow })
            var large = options
            large.resolution = 128
            let small = try FootagePreparation(
                folder: folder.appendingPathComponent("small"), options: large
            ).run([file])
            #expect(small.videos[0].kept.isEmpty)
        }
    }
}
