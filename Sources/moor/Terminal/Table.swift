/// Rows under headings, in columns that line up.
struct Table {
    struct Cell: ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
        var text: String
        var style: Style?

        init(_ text: String, _ style: Style? = nil) {
            self.text = text.printable
            self.style = style
        }

        init(stringLiteral text: String) { self.init(text) }
    }

    var headings: [String]
    var rows: [[Cell]] = []

    init(_ headings: String...) { self.headings = headings }

    mutating func add(_ cells: Cell...) { rows.append(cells) }

    private static let gap = "  "
    private static let narrowest = 8

    /// - Parameters:
    ///   - width: what a line may take; nil for as much as it needs. The widest columns give way first.
    func lines(width: Int?, colour: Bool) -> [String] {
        let widths = widths(within: width)
        let head = zip(headings, widths).map { heading, width in Cell(heading, colour ? .dim : nil).padded(to: width, colour: colour) }
        return ([head] + rows.map { row in zip(row, widths).map { $0.padded(to: $1, colour: colour) } }).map { cells in
            cells.joined(separator: Self.gap).trimmingTrailingSpaces()
        }
    }

    func print() throws {
        for line in lines(width: Console.width, colour: Console.hasColour) { try Console.line(line) }
    }

    private func widths(within limit: Int?) -> [Int] {
        var widths = headings.indices.map { column in
            rows.map { $0.indices.contains(column) ? $0[column].text.count : 0 }.reduce(headings[column].count, max)
        }
        guard let limit else { return widths }
        let available = limit - Self.gap.count * (widths.count - 1)
        while widths.reduce(0, +) > available, let widest = widths.indices.max(by: { widths[$0] < widths[$1] }),
            widths[widest] > Self.narrowest
        {
            widths[widest] -= 1
        }
        return widths
    }
}

extension Table.Cell {
    fileprivate func padded(to width: Int, colour: Bool) -> String {
        let shown = text.count > width ? text.prefix(max(width - 1, 0)) + "…" : text[...]
        let padding = String(repeating: " ", count: max(0, width - shown.count))
        guard colour, let style, !shown.isEmpty else { return shown + padding }
        return style.applied(to: String(shown)) + padding
    }
}

extension String {
    fileprivate func trimmingTrailingSpaces() -> String {
        var text = self[...]
        while text.last == " " { text = text.dropLast() }
        return String(text)
    }
}
