public import Foundation

/// The folder of the built programs, which is that of the tests' own executable.
public func builtProgram(_ name: String) -> URL {
    var folders = [Bundle.main.bundleURL, URL(filePath: CommandLine.arguments[0])]
    folders += Bundle.allBundles.map(\.bundleURL)
    for start in folders {
        var folder = start.resolvingSymlinksInPath()
        for _ in 0..<6 {
            folder = folder.deletingLastPathComponent()
            let file = folder.appendingPathComponent(name)
            if FileManager.default.isExecutableFile(atPath: file.path) { return file }
        }
    }
    return Fixtures.folder.deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent(".build/release/\(name)")
}

/// A port of this machine that nobody uses at the moment.
public func freePort() throws -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, size) == 0 ? getsockname(descriptor, $0, &size) : -1
        }
    }
    guard status == 0 else { throw CocoaError(.fileReadUnknown) }
    return UInt16(bigEndian: address.sin_port)
}
