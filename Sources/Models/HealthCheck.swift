/// How a replica shows that it is well, and what follows where it does not: the readiness and liveness probes of Kubernetes
/// in one.
package struct HealthCheck: Codable, Sendable, Hashable {
    package enum Probe: Sendable, Hashable {
        /// GET of `path`: any answer below 500 is good.
        case http
        /// A connection to the port is taken.
        case tcp
        /// A shell command in the container ends with code 0.
        case command(String)
    }

    package var probe: Probe
    /// Of an HTTP check.
    package var path: String
    /// Seconds from start within which the first good answer must come.
    package var timeoutSeconds: Int
    /// Between checks of a ready replica; nil: as the platform has it.
    package var intervalSeconds: Int?
    /// Bad answers in a row that take a ready replica out of the traffic; nil: three.
    package var failureThreshold: Int?
    /// Seconds that a replica may go on without a good answer before it is started anew; 0: for ever; nil: as the platform
    /// has it.
    package var restartAfterSeconds: Int?

    package init(
        path: String = "/", timeoutSeconds: Int = 60, probe: Probe = .http, intervalSeconds: Int? = nil, failureThreshold: Int? = nil,
        restartAfterSeconds: Int? = nil
    ) {
        self.path = path
        self.timeoutSeconds = timeoutSeconds
        self.probe = probe
        self.intervalSeconds = intervalSeconds
        self.failureThreshold = failureThreshold
        self.restartAfterSeconds = restartAfterSeconds
    }

    private enum CodingKeys: String, CodingKey {
        case path, timeoutSeconds, tcp, command, intervalSeconds, failureThreshold, restartAfterSeconds
    }

    /// What is not said is as it was before it could be said.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        path = try values.decode(String.self, forKey: .path)
        timeoutSeconds = try values.decode(Int.self, forKey: .timeoutSeconds)
        intervalSeconds = try values.decodeIfPresent(Int.self, forKey: .intervalSeconds)
        failureThreshold = try values.decodeIfPresent(Int.self, forKey: .failureThreshold)
        restartAfterSeconds = try values.decodeIfPresent(Int.self, forKey: .restartAfterSeconds)
        if let command = try values.decodeIfPresent(String.self, forKey: .command) {
            probe = .command(command)
        } else {
            probe = try values.decodeIfPresent(Bool.self, forKey: .tcp) == true ? .tcp : .http
        }
    }

    /// Running replicas are told from changed ones by it: what is as ever is written as ever.
    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(path, forKey: .path)
        try values.encode(timeoutSeconds, forKey: .timeoutSeconds)
        try values.encodeIfPresent(intervalSeconds, forKey: .intervalSeconds)
        try values.encodeIfPresent(failureThreshold, forKey: .failureThreshold)
        try values.encodeIfPresent(restartAfterSeconds, forKey: .restartAfterSeconds)
        switch probe {
        case .http: break
        case .tcp: try values.encode(true, forKey: .tcp)
        case .command(let command): try values.encode(command, forKey: .command)
        }
    }
}
