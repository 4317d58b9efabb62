import Foundation
import TestSupport
import Testing
import Torch
import TorchDistributed

/// Groups whose members are threads: to Gloo that is the same as processes.
@Suite(.serialized) struct ProcessGroupTests {
    private final class Results: @unchecked Sendable {
        private let lock = NSLock()
        private var values: [Int: Result<[Float], any Error>] = [:]

        func set(_ rank: Int, _ value: Result<[Float], any Error>) {
            lock.withLock { values[rank] = value }
        }

        func all(_ size: Int) throws -> [[Float]] {
            try (0..<size).map { try #require(values[$0]).get() }
        }

        func error(_ rank: Int) -> String {
            if case .failure(let error) = values[rank] { "\(error)" } else { "no error" }
        }
    }

    /// Runs a body in as many members as are asked for.
    private func members(
        _ size: Int, of launched: Int? = nil, options: ProcessGroup.Options? = nil,
        _ body: @escaping @Sendable (ProcessGroup) throws -> Tensor
    ) throws -> Results {
        let (port, results, group) = (try freePort(), Results(), DispatchGroup())
        for rank in 0..<size {
            group.enter()
            Thread.detachNewThread {
                defer { group.leave() }
                results.set(
                    rank,
                    Result {
                        let launch = ProcessLaunch(
                            rank: rank, size: launched ?? size, localRank: rank,
                            host: "127.0.0.1", port: port)
                        let group = try ProcessGroup(launch, options: options ?? .init())
                        let tensor = try body(group)
                        group.close()
                        return try tensor.array(Float.self)
                    })
            }
        }
        group.wait()
        return results
    }

    @Test(arguments: [2, 3, 4]) func sumsMeansAndMaximaAreThoseOfAll(_ size: Int) throws {
        let results = try members(size) { group in
            let values = try (0..<3).map { _ in
                try Tensor([Float(group.rank + 1), Float(-group.rank)])
            }
            try group.allReduce(values[0])
            try group.allReduce(values[1], .mean)
            try group.allReduce(values[2], .max)
            return try .cat(values, axis: 0)
        }.all(size)
        let sum = Float(size * (size + 1) / 2)
        let wanted = [
            sum, Float(size) - sum, sum / Float(size), (Float(size) - sum) / Float(size),
            Float(size), 0,
        ]
        for result in results {
            for (a, b) in zip(result, wanted) { #expect(abs(a - b) < 1e-6) }
        }
    }

    @Test func aBroadcastGivesTheRootsTensor() throws {
        let results = try members(3) { group in
            let value = try Tensor([Float(group.rank), 7])
            try group.broadcast(value, from: 1)
            try group.barrier()
            return value
        }.all(3)
        #expect(results == [[1, 7], [1, 7], [1, 7]])
    }

    @Test func partsAreGatheredInTheOrderOfRanks() throws {
        let results = try members(3) { group in
            let part = try Tensor([Float(group.rank), Float(10 * group.rank)], [1, 2])
            let whole = try group.allGather(part)
            #expect(whole.shape == [3, 1, 2])
            return whole
        }.all(3)
        #expect(results.allSatisfy { $0 == [0, 0, 1, 10, 2, 20] })
    }

    @Test func eachMemberGetsItsPartOfTheSum() throws {
        let results = try members(2) { group in
            let whole = try Tensor([1, 2, 3, 4].map { Float($0 * (group.rank + 1)) }, [2, 2])
            let sum = try group.reduceScatter(whole)
            #expect(sum.shape == [2])
            return try .cat([sum, group.reduceScatter(whole, .mean)], axis: 0)
        }.all(2)
        #expect(results == [[3, 6, 1.5, 3], [9, 12, 4.5, 6]])
    }

    @Test func bfloat16AndDoublesAreExchangedToo() throws {
        let results = try members(2) { group in
            let half = try Tensor([Float(group.rank) + 0.5]).to(.bfloat16)
            let double = try Tensor([Double(group.rank) + 1e-12])
            try group.allReduce(half)
            try group.allReduce(double)
            return try .cat([half.to(.float32), ((double - 1) * 1e12).to(.float32)], axis: 0)
        }.all(2)
        for result in results {
            #expect(result[0] == 2 && abs(result[1] - 2) < 1e-3)
        }
    }

    @Test func aMemberThatFailsTellsAllOthersWhy() throws {
        struct Broken: Error, CustomStringConvertible { let description = "the disk is full" }
        let results = try members(3) { group in
            try group.barrier()
            if group.rank == 2 {
                group.fail(Broken())
                throw Broken()
            }
            do {
                try group.barrier()
            } catch {
                group.fail(error)
                throw error
            }
            return try .zeros([1])
        }
        for rank in 0..<2 {
            #expect(results.error(rank) == "rank \(rank): rank 2 ended: the disk is full")
        }
    }

    @Test func aMemberThatDoesNotComeIsMissed() throws {
        var options = ProcessGroup.Options()
        options.joinTimeout = 1
        let results = try members(2, of: 3, options: options) { _ in try .zeros([1]) }
        #expect(results.error(0).contains("rank 0: only 2 of 3 processes came to 127.0.0.1:"))
    }

    /// What a member does between its calls may take as long as it takes.
    @Test func aMemberThatIsBusyIsWaitedFor() throws {
        var options = ProcessGroup.Options()
        (options.joinTimeout, options.patience, options.beatInterval) = (2, 1, 0.1)
        let results = try members(3, options: options) { group in
            if group.rank == 0 { Thread.sleep(forTimeInterval: 4) }
            let value = try Tensor([Float(group.rank)])
            try group.allReduce(value)
            return value
        }.all(3)
        #expect(results == [[3], [3], [3]])
    }

    @Test func aPartForEachMemberIsNeeded() throws {
        let results = try members(2) { group in
            let error = #expect(throws: DistributedError.self) {
                try group.reduceScatter(.zeros([3, 1]))
            }
            #expect(error?.description.contains("each of 2 processes, not (3, 1)") == true)
            let strided = #expect(throws: DistributedError.self) {
                try group.allReduce(.zeros([2, 3]).transpose(0, 1))
            }
            #expect(strided?.description.contains("contiguous") == true)
            return try .zeros([1])
        }
        _ = try results.all(2)
    }

    @Test func aGroupOnAGPUSaysThatNCCLIsMissing() throws {
        guard Accelerator.cudaDeviceCount == 0 else { return }
        let port = try freePort()
        let launch = ProcessLaunch(rank: 0, size: 1, localRank: 0, host: "127.0.0.1", port: port)
        let error = #expect(throws: DistributedError.self) {
            try ProcessGroup(launch, device: .cuda())
        }
        #expect(error?.description.contains("NCCL") == true, "\(error?.description ?? "")")
    }
}
