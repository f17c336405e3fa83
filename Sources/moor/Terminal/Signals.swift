import Dispatch
import Models

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Signals to this process as a sequence, their usual effect being off until `stop`.
struct Signals {
    enum Event: Sendable, Equatable {
        case resized
        case sent(CommandSignal)
    }

    let events: AsyncStream<Event>
    private let sources: [any DispatchSourceSignal]

    static let all: [(number: Int32, event: Event)] = [
        (SIGWINCH, .resized), (SIGINT, .sent(.interrupt)), (SIGTERM, .sent(.terminate)), (SIGQUIT, .sent(.quit)), (SIGHUP, .sent(.hangUp)),
    ]

    init() {
        let (events, continuation) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingNewest(16))
        self.events = events
        sources = Self.all.map { number, event in
            // The dispatch source only sees the signal where its default is off.
            _ = signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { continuation.yield(event) }
            source.resume()
            return source
        }
    }

    func stop() {
        for source in sources { source.cancel() }
        for (number, _) in Self.all { _ = signal(number, SIG_DFL) }
    }
}

extension CommandSignal {
    var number: Int32 {
        switch self {
        case .hangUp: SIGHUP
        case .interrupt: SIGINT
        case .quit: SIGQUIT
        case .kill: SIGKILL
        case .terminate: SIGTERM
        }
    }
}
