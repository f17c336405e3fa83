import HTTPTypes
import Hummingbird
import Logging
import Models

/// Renders every failure of the API, and says on every answer that it is nobody's to keep.
struct ProblemMiddleware: RouterMiddleware {
    let logger: Logger

    func handle(
        _ request: Request, context: BasicRequestContext,
        next: @concurrent (Request, BasicRequestContext) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do {
            response = try await next(request, context)
        } catch {
            response = try render(Self.problem(error), of: request)
        }
        response.headers[.cacheControl] = "no-store"
        response.headers[.xContentTypeOptions] = "nosniff"
        return response
    }

    private func render(_ problem: Problem, of request: Request) throws -> Response {
        if let cause = problem.error.cause {
            logger.error(
                "API request failed",
                metadata: [
                    "method": "\(request.method.rawValue)", "path": "\(request.uri.path)", "code": "\(problem.error.code.rawValue)",
                    "cause": "\(cause)",
                ])
        }
        var response = try Response.json(Problem.documentShape.json(problem), status: problem.status)
        response.headers[.contentType] = "application/problem+json"
        for field in problem.headers { response.headers.append(field) }
        return response
    }

    private static func problem(_ error: any Error) -> Problem {
        switch error {
        case let problem as Problem: problem
        case let error as HTTPError: Problem(MoorError(.invalid, error.body ?? "the request is not valid"), status: error.status)
        default: Problem(.wrapping(error))
        }
    }
}

extension Response {
    static func json(_ value: JSON, status: HTTPResponse.Status = .ok) throws -> Response {
        Response(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: try value.encoded())))
    }

    static var nothing: Response { Response(status: .noContent) }
}
