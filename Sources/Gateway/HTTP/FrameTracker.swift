/// Follows WebSocket frames (RFC 6455 section 5.2) in a stream that is passed on, by their heads alone, so that a frame of
/// our own can be put between two of them.
struct FrameTracker {
    private enum State: Equatable {
        case opcode, size
        /// Bytes of the extended length, of the mask, that are still to come.
        case length(Int), mask(Int)
        case payload
    }

    private var state = State.opcode
    private var isMasked = false
    private var remaining: UInt64 = 0

    /// The next byte begins a frame.
    var isBetweenFrames: Bool { state == .opcode }

    mutating func pass(_ bytes: Span<UInt8>) {
        var index = 0
        while index < bytes.count {
            switch state {
            case .opcode:
                index += 1
                state = .size
            case .size:
                let byte = bytes[index]
                index += 1
                isMasked = byte & 0x80 != 0
                remaining = 0
                switch byte & 0x7F {
                case 126: state = .length(2)
                case 127: state = .length(8)
                case let size:
                    remaining = UInt64(size)
                    endOfLength()
                }
            case .length(let left):
                remaining = remaining << 8 | UInt64(bytes[index])
                index += 1
                if left == 1 { endOfLength() } else { state = .length(left - 1) }
            case .mask(let left):
                index += 1
                state = left > 1 ? .mask(left - 1) : remaining > 0 ? .payload : .opcode
            case .payload:
                let count = min(remaining, UInt64(bytes.count - index))
                index += Int(count)
                remaining -= count
                if remaining == 0 { state = .opcode }
            }
        }
    }

    private mutating func endOfLength() { state = isMasked ? .mask(4) : remaining > 0 ? .payload : .opcode }
}
