import ArgumentParser
import Foundation
import FramePack
import Torch

/// What the program's exit status says; there is no other place that decides it.
enum ExitStatus: Int32 {
    /// All is done, or help was asked for.
    case success = 0
    /// The work failed; one line on standard error says why.
    case failure = 1
    /// The command line cannot be understood, or asks for something that cannot be.
    case usage = 2
    /// The work was cancelled, as after Ctrl-C.
    case cancelled = 130
}

/// What a command throws where the program itself has something to say.
enum CommandError: Error, CustomStringConvertible {
    /// The command line asks for something that cannot be.
    case usage(String)
    /// The user ended the work; the sentence says how to go on.
    case cancelled(String)
    /// The work failed; the sentence says why, and how to go on.
    case failure(String)

    var description: String {
        switch self {
        case .usage(let sentence), .cancelled(let sentence), .failure(let sentence): sentence
        }
    }
}

/// How a command ended that threw something.
struct Outcome {
    /// What the program ends with.
    let status: ExitStatus
    /// What is printed: help in full, or one line.
    let message: String
    /// Whether the message has lines on purpose.
    private(set) var isLaidOut = false

    /// Tells what an error means.
    init(_ error: any Error, arguments: [String]) {
        typealias Root = FramePackCommand
        switch error {
        case let error as CommandError:
            switch error {
            case .usage: status = .usage
            case .cancelled: status = .cancelled
            case .failure: status = .failure
            }
            message = error.description
        case FramePackError.packingName(let error), let error as PackingNameError:
            (status, message, isLaidOut) = (.usage, error.description, true)
        case FramePackError.memoryBudget(let shortage):
            (status, message) = (.usage, shortage.description)
        case FramePackError.cancelled:
            (status, message) = (.cancelled, FramePackError.cancelled.description)
        case FramePackError.invalidSetting(let name, let found, let wanted):
            status = .usage
            message =
                FramePackError.invalidSetting(
                    name: Self.spelled(name, arguments), found: found, wanted: wanted
                ).description
        case FramePackError.conflictingSettings(let sentence),
            FramePackError.malformedTimeline(let sentence):
            (status, message) = (.usage, Self.spelledOut(sentence, arguments))
        case let error as TorchError:
            status = .failure
            message =
                error.code == .outOfMemory
                ? "Memory did not suffice: \(Self.oneLine(error.message))"
                : Self.oneLine(error.message)
        default:
            switch Root.exitCode(for: error) {
            case .success:
                (status, message) = (.success, Root.fullMessage(for: error, columns: 80))
            case .validationFailure:
                status = .usage
                message = Self.oneLine(Root.message(for: error)) + Self.hint(arguments)
            default: (status, message) = (.failure, Self.sentence(error))
            }
        }
    }

    /// Prints the message where it belongs.
    func report() -> ExitStatus {
        if status == .success {
            print(message)
        } else {
            let label = status == .cancelled ? "" : "error: "
            // A file's name may hold codes that a terminal obeys.
            let plain = String(
                message.map {
                    isLaidOut && $0 == "\n"
                        || $0.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 }
                        ? $0 : "?"
                })
            FileHandle.standardError.write(Data("\(label)\(plain)\n".utf8))
        }
        return status
    }

    /// A setting as the user wrote it: the option where it was given as one, else its name in JSON.
    private static func spelled(_ setting: String, _ arguments: [String]) -> String {
        let words = setting.reduce("") { $0 + ($1.isUppercase ? "-" : "") + $1.lowercased() }
        let option = "--\(words)"
        return arguments.contains { $0 == option || $0.hasPrefix("\(option)=") } ? option : setting
    }

    /// A sentence with settings as the user wrote them, where they were given as options.
    private static func spelledOut(_ sentence: String, _ arguments: [String]) -> String {
        sentence.split(separator: " ", omittingEmptySubsequences: false).map { word in
            let isName = word.first?.isLowercase == true && word.allSatisfy(\.isLetter)
            return isName ? spelled(String(word), arguments) : String(word)
        }.joined(separator: " ")
    }

    private static func hint(_ arguments: [String]) -> String {
        var commands = FramePackCommand.configuration.subcommands
        var path = "framepack"
        for argument in arguments {
            guard let next = commands.first(where: { $0.configuration.commandName == argument })
            else { break }
            path += " \(argument)"
            commands = next.configuration.subcommands
        }
        return " (see \(path) --help)"
    }

    /// An error as one line.
    private static func sentence(_ error: any Error) -> String {
        // Foundation's errors describe themselves with their domain and all that.
        let isFoundations = type(of: error) is NSError.Type || error is CocoaError
        return oneLine(isFoundations ? SystemError.sentence(error) : "\(error)")
    }

    private static func oneLine(_ text: String) -> String {
        let lines = text.split(whereSeparator: \.isNewline)
            .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
        // A list of choices reads better with commas.
        let line = lines.reduce("") { line, next in
            guard next.hasPrefix("- ") else { return line.isEmpty ? next : "\(line) \(next)" }
            return line + (line.hasSuffix(":") ? " " : ", ") + next.dropFirst(2)
        }
        return line.count > 1000 ? line.prefix(1000) + "..." : line
    }
}
