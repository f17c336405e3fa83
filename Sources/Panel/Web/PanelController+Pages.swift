import HTTPTypes
import Hummingbird
import Models
import NIOCore

extension PanelController {
    enum Tab { case none, apps, users, account }

    /// The frame around a page for that visitor.
    func frame(_ title: String, _ visit: Visit?, tab: Tab = .none, notice: String? = nil, problem: MoorError? = nil) -> Frame {
        let isAppHost = visit.map(isAppHost) ?? false
        return Frame(
            title: title, username: visit?.principal?.username, isAdmin: visit?.principal?.isAdmin ?? false,
            formToken: visit?.cookie.map(FormToken.make) ?? "", homeURL: isAppHost ? configuration.panelURL : "/",
            styleURL: files.url("panel.css", onAppHost: isAppHost), scriptURL: files.url("panel.js", onAppHost: isAppHost),
            iconURL: files.url("mark.svg", onAppHost: isAppHost), onApps: tab == .apps, onUsers: tab == .users, onAccount: tab == .account,
            notice: notice,
            problem: problem.map(Problem.init))
    }

    /// There `/` is the app's own; ours is under `/_moor/`.
    func isAppHost(_ visit: Visit) -> Bool { configuration.appForHost(visit.host) != nil }

    /// - Parameter page: a struct of ready texts, read by the template of that name.
    func page(_ template: String, _ page: Any, _ frame: Frame, status: HTTPResponse.Status = .ok) throws(MoorError) -> Response {
        let html = ByteBuffer(string: try templates.render(page, frame: frame, template: template))
        return Response(status: status, headers: [.contentType: "text/html; charset=utf-8"], body: ResponseBody(byteBuffer: html))
    }

    /// The status that a form's page is shown with again after `problem`.
    func status(_ problem: MoorError?) -> HTTPResponse.Status { problem.map { .init(code: $0.code.httpStatus) } ?? .ok }

    func cookie(_ name: String, _ value: String, path: String = "/", maxAge: Int?, visit: Visit) -> Cookie {
        Cookie(name: name, value: value, maxAge: maxAge, path: path, secure: visit.isSecure, httpOnly: true, sameSite: .lax)
    }
}
