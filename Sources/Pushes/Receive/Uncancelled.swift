/// Runs `body` to its end even where the calling task is cancelled, for what must be put in order then. The task that this
/// takes is awaited here.
func uncancelled<T: Sendable>(_ body: @escaping @Sendable () async -> T) async -> T { await Task { await body() }.value }
