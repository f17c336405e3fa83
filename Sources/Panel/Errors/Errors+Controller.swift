import HTTPTypes
import Hummingbird
import Logging
import Models

extension PanelController {
    /// What went wrong, as a page of its own.
    func errorPage(_ error: MoorError, visit: Visit?) -> Response {
        if error.code == .internalError || error.code == .unavailable {
            logger.error(
                "a page could not be shown", metadata: ["error": "\(error.message)", "cause": "\(error.cause ?? "")"])
        }
        let status = HTTPResponse.Status(code: error.code.httpStatus)
        let view = ErrorView(
            error, isSignedIn: visit?.principal != nil,
            link: visit.map(isAppHost) ?? false ? (configuration.panelURL, "Go to Moorage") : nil)
        guard let response = try? page("error", view, frame(view.heading, visit), status: status) else {
            return Response(
                status: status, headers: [.contentType: "text/plain; charset=utf-8"],
                body: .init(byteBuffer: .init(string: error.description)))
        }
        return response
    }
}
