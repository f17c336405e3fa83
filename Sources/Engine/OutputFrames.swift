/// Takes an engine's multiplexed output apart: frames of an 8-byte header (stream, three zeros, big-endian length) and
/// that many bytes, as the Docker Engine API describes under "ContainerAttach".
package struct OutputFrames {
    private var header: [UInt8] = []
    private var stream: UInt8 = 1
    /// Bytes of the current frame that are still to come.
    private var missing = 0

    package init() {}

    /// - Returns: the contents of the frames in these bytes, in order, each with its stream (1 output, 2 error); a frame may
    ///   come in several pieces.
    package mutating func read(_ bytes: some Collection<UInt8>) -> [(stream: UInt8, bytes: ArraySlice<UInt8>)] {
        var pieces: [(stream: UInt8, bytes: ArraySlice<UInt8>)] = []
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            if missing > 0 {
                let piece = rest.prefix(missing)
                pieces.append((stream, piece))
                missing -= piece.count
                rest = rest.dropFirst(piece.count)
            } else {
                let part = rest.prefix(8 - header.count)
                header += part
                rest = rest.dropFirst(part.count)
                guard header.count == 8 else { break }
                stream = header[0]
                missing = header[4...].reduce(0) { $0 << 8 | Int($1) }
                header = []
            }
        }
        return pieces
    }
}
