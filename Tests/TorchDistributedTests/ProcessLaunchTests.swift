import Testing
import TorchDistributed

@Suite struct ProcessLaunchTests {
    private func launch(_ variables: [String: String]) throws -> ProcessLaunch? {
        try ProcessLaunch(environment: variables)
    }

    private func complaint(_ variables: [String: String]) -> String {
        do {
            let found = try launch(variables)
            return "no error, but \(String(describing: found))"
        } catch {
            return "\(error)"
        }
    }

    private let torchrun = [
        "RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "MASTER_ADDR": "node1",
        "MASTER_PORT": "29511",
    ]
    private let slurm = [
        "SLURM_PROCID": "5", "SLURM_NTASKS": "8", "SLURM_LOCALID": "1",
        "SLURM_NODELIST": "gpu[03-06,11],big2", "SLURM_JOB_ID": "1234567",
    ]

    @Test func torchrunsVariablesAreRead() throws {
        #expect(
            try launch(torchrun)
                == ProcessLaunch(rank: 3, size: 4, localRank: 1, host: "node1", port: 29511))
        var restarted = torchrun
        restarted["TORCHELASTIC_USE_AGENT_STORE"] = "True"
        restarted["TORCHELASTIC_RESTART_COUNT"] = "2"
        let found = try #require(try launch(restarted))
        #expect(found.isStoreServed && found.attempt == 2)
    }

    @Test func byHandTheLocalRankMayBeLeftOut() throws {
        var variables = torchrun
        variables["LOCAL_RANK"] = nil
        #expect(try launch(variables)?.localRank == 3)
    }

    @Test func slurmsVariablesAreRead() throws {
        #expect(
            try launch(slurm)
                == ProcessLaunch(rank: 5, size: 8, localRank: 1, host: "gpu03", port: 34567))
        var named = slurm
        (named["MASTER_ADDR"], named["MASTER_PORT"]) = ("login", "4000")
        let found = try #require(try launch(named))
        #expect(found.host == "login" && found.port == 4000)
    }

    @Test(arguments: [
        ("node7", "node7"), ("node7,node9", "node7"), ("a-b[001,005]", "a-b001"),
        ("a,b[1-2]", "a"), ("r[1-3]n", "r1n"), ("r[08-10],x", "r08"),
    ])
    func theFirstHostOfAListIsFound(_ list: String, _ first: String) throws {
        var variables = slurm
        variables["SLURM_NODELIST"] = list
        #expect(try launch(variables)?.host == first)
    }

    @Test func oneProcessIsNoGroup() throws {
        #expect(try launch([:]) == nil)
        #expect(try launch(["PATH": "/bin", "MASTER_PORT": "1"]) == nil)
        #expect(try launch(["RANK": "0", "WORLD_SIZE": "1"]) == nil)
        #expect(try launch(["RANK": "", "WORLD_SIZE": ""]) == nil)
        var alone = slurm
        (alone["SLURM_NTASKS"], alone["SLURM_PROCID"], alone["SLURM_LOCALID"]) = ("1", "0", "0")
        #expect(try launch(alone) == nil)
    }

    @Test func whatIsMissingOrWrongIsNamed() {
        for name in ["RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"] {
            var variables = torchrun
            variables[name] = nil
            let text = complaint(variables)
            #expect(text.hasPrefix("\(name) is not set") && text.contains("set \(name) too"))
        }
        for (name, value) in [
            ("RANK", "4"), ("RANK", "-1"), ("WORLD_SIZE", "0"), ("WORLD_SIZE", "two"),
            ("MASTER_PORT", "70000"), ("LOCAL_RANK", "x"),
        ] {
            var variables = torchrun
            variables[name] = value
            #expect(complaint(variables).hasPrefix("\(name) is \(value); it must be"))
        }
        for name in ["SLURM_NTASKS", "SLURM_LOCALID", "SLURM_NODELIST"] {
            var variables = slurm
            variables[name] = nil
            #expect(complaint(variables).hasPrefix("\(name) is not set"))
        }
        #expect(complaint(["LOCAL_RANK": "1"]).contains("RANK is not"))
        var open = slurm
        open["SLURM_NODELIST"] = "gpu[1-2"
        #expect(complaint(open).contains("gpu[1-2"))
    }
}
