/// Stands in until Pushes has the hook.
enum PreReceiveHook {
    static func main() async -> Int32 { 1 }
}
