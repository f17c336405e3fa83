import Foundation

/// Finds the values of an app's build config in what its build says, and puts dots in their place.
///
/// Values of fewer than four characters are left: they stand in half of all words. Whoever pushes can write code that prints
/// a value in some other disguise; this keeps tools from telling it by accident.
struct SecretMask: Sendable {
    static let dots = "••••"
    static let shortest = 4

    /// A value as tools write it, in bytes.
    private let forms: [[UInt8]]
    /// Indices into `forms` by first byte.
    private let byFirst: [[Int]]
    private let longest: Int

    init(_ values: some Sequence<String> = []) {
        var forms: Set<[UInt8]> = []
        for value in values {
            // A log has lines: each of a value's own must not be told either.
            let lines = value.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
            for text in Set([value, value.trimmingCharacters(in: .whitespacesAndNewlines)] + lines) where text.count >= Self.shortest {
                forms.formUnion(Self.forms(of: text))
            }
        }
        self.forms = Array(forms)
        longest = forms.map(\.count).max() ?? 0
        var byFirst = [[Int]](repeating: [], count: 256)
        for (index, form) in self.forms.enumerated() { byFirst[Int(form[0])].append(index) }
        self.byFirst = byFirst
    }

    var isEmpty: Bool { forms.isEmpty }

    func masked(_ text: String) -> String {
        isEmpty ? text : String(decoding: masked(Array(text.utf8)), as: UTF8.self)
    }

    /// - Parameter hidden: how many bytes at the beginning are known to be of a value.
    func masked(_ bytes: [UInt8], hidden: Int = 0) -> [UInt8] {
        isEmpty ? bytes : Self.dotted(bytes[...], covered(bytes, hidden: hidden))
    }

    /// Breaks a text that goes on: what can be told of it now, what must wait for the rest, and how many bytes of that are
    /// known to be of a value.
    func broken(_ bytes: [UInt8], hidden: Int) -> (told: [UInt8], held: [UInt8], hidden: Int) {
        guard !isEmpty else { return (bytes, [], 0) }
        let cut = bytes.count - unfinished(bytes)
        let covered = covered(bytes, hidden: hidden)
        let known = covered.last { $0.lowerBound < cut && $0.upperBound > cut }?.upperBound ?? cut
        let before = covered.filter { $0.lowerBound < cut }.map { $0.lowerBound..<min($0.upperBound, cut) }
        return (Self.dotted(bytes[..<cut], before), Array(bytes[cut...]), known - cut)
    }

    /// Occurrences may overlap, of one value with another too: what any of them covers goes.
    private func covered(_ bytes: [UInt8], hidden: Int) -> [Range<Int>] {
        var covered: [Range<Int>] = hidden > 0 ? [0..<hidden] : []
        for start in bytes.indices {
            for index in byFirst[Int(bytes[start])] where bytes[start...].starts(with: forms[index]) {
                let end = start + forms[index].count
                if let last = covered.last, last.upperBound >= start {
                    covered[covered.count - 1] = last.lowerBound..<max(last.upperBound, end)
                } else {
                    covered.append(start..<end)
                }
            }
        }
        return covered
    }

    private static func dotted(_ bytes: ArraySlice<UInt8>, _ covered: [Range<Int>]) -> [UInt8] {
        var result: [UInt8] = []
        var position = 0
        for range in covered {
            result += bytes[position..<range.lowerBound] + Array(Self.dots.utf8)
            position = range.upperBound
        }
        return result + bytes[position...]
    }

    /// How many bytes at the end may be the beginning of a value whose rest is still to come.
    private func unfinished(_ bytes: [UInt8]) -> Int {
        guard longest > 1 else { return 0 }
        for start in max(0, bytes.count - longest + 1)..<bytes.count {
            let count = bytes.count - start
            let isBeginning = byFirst[Int(bytes[start])].contains { index in
                forms[index].count > count && forms[index].starts(with: bytes[start...])
            }
            if isBeginning { return count }
        }
        return 0
    }

    /// As it is, percent-encoded (RFC 3986) as a URL's user, path or query has it, in Base64 (RFC 4648) at each of the three
    /// places it may begin in a longer text, such as `user:token`, and with the escapes of JSON.
    private static func forms(of text: String) -> Set<[UInt8]> {
        var forms: Set<String> = [text]
        let unreserved = CharacterSet(charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
        for allowed in [unreserved, unreserved.union(["/"]), .urlUserAllowed, .urlPasswordAllowed, .urlPathAllowed, .urlQueryAllowed] {
            guard let encoded = text.addingPercentEncoding(withAllowedCharacters: allowed) else { continue }
            for form in [encoded, encoded.replacingOccurrences(of: "%20", with: "+")] { forms.formUnion([form, lowerHex(form)]) }
        }
        for offset in 0..<3 {
            let encoded = Data([UInt8](repeating: 0, count: offset) + Array(text.utf8)).base64EncodedString()
            // The characters that other bytes have a part in differ from place to place.
            let first = [0, 2, 3][offset]
            let whole = (offset + text.utf8.count) * 8 / 6
            let core = String(encoded.prefix(whole).dropFirst(first))
            guard core.count > shortest else { continue }
            forms.formUnion([core, core.replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")])
        }
        var escaped = text.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\n", with: "\\n")
        escaped = escaped.replacingOccurrences(of: "\t", with: "\\t").replacingOccurrences(of: "\r", with: "\\r")
        forms.formUnion([escaped, escaped.replacingOccurrences(of: "\"", with: "\\\"")])
        // What is left of it once a line was made safe to show.
        forms.insert(LogLines.clean(text))
        return Set(forms.filter { $0.utf8.count >= shortest }.map { Array($0.utf8) })
    }

    /// "%2F" → "%2f".
    private static func lowerHex(_ text: String) -> String {
        var result: [UInt8] = []
        var left = 0
        for byte in text.utf8 {
            if byte == UInt8(ascii: "%") { left = 3 }
            result.append(left > 0 && (0x41...0x46).contains(byte) ? byte + 0x20 : byte)
            left = max(0, left - 1)
        }
        return String(decoding: result, as: UTF8.self)
    }
}
