import Foundation
import FramePack
import FramePackTraining
import TestSupport
import Testing

@Suite struct DatasetFileTests {
    private func read<R>(
        _ text: String, files: [String: String] = [:], _ body: (DatasetFile) throws -> R
    ) throws -> R {
        try withTemporaryFolder { folder in
            for (name, content) in files {
                let file = folder.appendingPathComponent(name)
                try FileManager.default.createDirectory(
                    at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data(content.utf8).write(to: file)
            }
            let file = folder.appendingPathComponent("data.toml")
            try Data(text.utf8).write(to: file)
            return try body(DatasetFile(file))
        }
    }

    /// The forms of the examples of musubi-tuner's documentation.
    @Test func filesOfMusubiTunerAreTakenAsTheyAre() throws {
        let text = """
            [general]
            resolution = [960, 544]
            caption_extension = ".txt"
            batch_size = 1
            enable_bucket = true
            bucket_no_upscale = false

            [[datasets]]
            video_directory = "/videos/one"
            cache_directory = "/cache/one"
            target_frames = [1, 25, 45]
            frame_extraction = "head"
            source_fps = 30.0

            [[datasets]]
            video_directory = "/videos/two"
            cache_directory = "/cache/two"
            frame_extraction = "full"
            max_frames = 45
            num_repeats = 3
            resolution = 640
            fp_latent_window_size = 9

            [[datasets]]
            video_jsonl_file = "/lists/three.jsonl"
            target_frames = [37]
            frame_extraction = "slide"
            frame_stride = 10
            cache_directory = "/cache/three"

            [[datasets]]
            image_directory = "/pictures"
            control_directory = "/controls"
            fp_1f_clean_indices = [0]
            fp_1f_target_index = 9
            fp_1f_no_post = false

            [[datasets]]
            image_jsonl_file = "/lists/pictures.jsonl"
            """
        try read(text) { file in
            #expect(file.datasets.count == 5)
            let (one, two, three) = (file.datasets[0], file.datasets[1], file.datasets[2])
            #expect(one.framesPerSecond == 30 && one.captionExtension == ".txt")
            #expect(one.cacheFolder?.path == "/cache/one" && one.hasBuckets && !one.keepsSmall)
            #expect(one.resolution == FrameSize(height: 544, width: 960))
            #expect(one.cutting.clips(frameCount: 100) == [0..<37])
            #expect(two.repeats == 3 && two.framesPerSecond == nil)
            #expect(two.resolution == FrameSize(height: 640, width: 640))
            #expect(two.cutting.clips(frameCount: 100) == [0..<37])
            #expect(three.cutting.clips(frameCount: 60) == [0..<37, 10..<47, 20..<57])
            #expect(file.datasets[3].oneFrameTarget == 9)
            #expect(file.datasets[3].controlFolder?.path == "/controls")
            // What is not used is told with its line.
            #expect(file.notes.count == 3, "\(file.notes)")
            #expect(file.notes[0].contains("line 4: batch_size of [general] is not used"))
            #expect(file.notes[1].contains("number 4") && file.notes[1].contains("clean_indices"))
        }
    }

    @Test func aMisspelledKeyIsToldWithTheNearest() throws {
        try read("[[datasets]]\nvideo_directory = \"/v\"\ntarget_frame = [37]\nwhatever = 1\n") {
            #expect($0.notes.count == 2)
            #expect($0.notes[0].contains("line 3: target_frame of [[datasets]]"))
            #expect($0.notes[0].contains("the nearest key is target_frames"))
            #expect($0.notes[1].contains("whatever") && !$0.notes[1].contains("nearest"))
        }
    }

    @Test(arguments: [
        ("[general]\nresolution = 640\n", "has no [[datasets]]"),
        ("[[datasets]]\nresolution = 640\n", "line 1: datasets[1] names 0 sources"),
        ("[[datasets]]\nvideo_directory = \"/v\"\nimage_directory = \"/i\"\n", "names 2 sources"),
        ("[[datasets]]\nvideo_directory = 1\n", "line 2: datasets[1].video_directory must be a te"),
        (
            "[[datasets]]\nvideo_directory = \"/v\"\nframe_extraction = \"tail\"\n",
            "frame_extraction is \"tail\"; it must be among head, chunk, slide, uniform, full"
        ),
        ("[[datasets]]\nvideo_directory = \"/v\"\nnum_repeats = 0\n", "num_repeats is 0; it must"),
        ("[[datasets]]\nvideo_directory = \"/v\"\nresolution = [1, 2, 3]\n", "[width, height]"),
    ])
    func whatCannotBeIsAnError(_ text: String, part: String) {
        let error = #expect(throws: TrainingError.self) { try read(text) { _ in } }
        #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
    }

    @Test(arguments: [
        (FrameExtraction.head, 100, [0..<73]),
        (.chunk, 160, [0..<73, 80..<153]),
        (.slide, 100, [0..<73, 15..<88]),
        (.uniform, 100, [0..<73, 10..<83, 20..<93]),
        (.full, 100, [0..<73]), (.full, 300, [0..<109]), (.full, 36, []), (.head, 79, []),
    ])
    func clipsAreWholeSections(_ extraction: FrameExtraction, frames: Int, clips: [Range<Int>]) {
        var cutting = ClipCutting()
        cutting.extraction = extraction
        cutting.targetFrames = [80]
        (cutting.stride, cutting.samples, cutting.mostFrames) = (15, 3, 129)
        #expect(cutting.clips(frameCount: frames) == clips)
        for clip in clips { #expect((clip.count - 1) % 36 == 0) }
    }

    @Test func severalLengthsGiveTheirClips() {
        var cutting = ClipCutting()
        (cutting.targetFrames, cutting.window) = ([9, 17, 18], 2)
        #expect(cutting.clips(frameCount: 20) == [0..<9, 0..<17])
    }

    @Test func sizesFollowBucketsWhereThereAreAny() throws {
        func size(_ keys: String, _ height: Int, _ width: Int) throws -> FrameSize {
            try read("[[datasets]]\nvideo_directory = \"/v\"\n\(keys)\n") {
                $0.datasets[0].size(of: FrameSize(height: height, width: width))
            }
        }
        #expect(
            try size("resolution = [650, 490]", 1080, 1920) == FrameSize(height: 480, width: 640))
        let buckets = "resolution = 640\nenable_bucket = true"
        #expect(try size(buckets, 1080, 1920) == FrameSize(height: 480, width: 832))
        #expect(try size(buckets, 1920, 1080) == FrameSize(height: 832, width: 480))
        let small = try size(buckets + "\nbucket_no_upscale = true", 180, 320)
        #expect(small.height * small.width <= 180 * 320 && small.width > small.height)
    }

    @Test func captionsLieBesideFilesOrInLists() throws {
        let folder = """
            [[datasets]]
            video_directory = "videos"
            caption_extension = ".caption"
            """
        let files = [
            "videos/b.mp4": "", "videos/a.MP4": "", "videos/a.caption": " a cat \n",
            "videos/c.mov": "", "videos/c.caption": "c", "videos/notes.txt": "",
        ]
        try read(folder, files: files) { file in
            let (items, problems) = try file.datasets[0].items()
            #expect(items.map(\.caption) == ["a cat", "c"])
            #expect(problems.count == 1 && problems[0].place.hasSuffix("b.mp4"))
            #expect(problems[0].reason.contains("b.caption"))
        }
        let list = """
            {"video_path": "videos/a.mp4", "caption": "one", "extra": 1}

            {"video_path": "/elsewhere/b.mp4", "caption": "two"}
            not json
            {"caption": "no path"}
            """
        try read(
            "[[datasets]]\nvideo_jsonl_file = \"list.jsonl\"\ncache_directory = \"cache\"\n",
            files: ["list.jsonl": list, "videos/a.mp4": ""]
        ) { file in
            let (items, problems) = try file.datasets[0].items()
            #expect(items.map(\.caption) == ["one", "two"])
            #expect(items[0].file.path.hasSuffix("/videos/a.mp4"))
            #expect(items[1].file.path == "/elsewhere/b.mp4")
            #expect(problems.map { $0.place.suffix(6) } == ["line 4", "line 5"])
        }
    }
}
