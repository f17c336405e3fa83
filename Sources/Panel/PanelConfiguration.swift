package import Models

/// Where the panel is and how it names the apps.
package struct PanelConfiguration: Sendable {
    /// Such as "http://localhost:8080", without a trailing slash.
    package var panelURL: String
    /// The URL of an app, without a trailing slash.
    package var appURL: @Sendable (AppName) -> String
    /// The app that a `Host` (lower-case, without port) belongs to; nil for the panel's own and unknown ones.
    package var appForHost: @Sendable (String) -> AppName?
    /// The folder that holds `templates/` and `static/`.
    package var webFolder: String
    /// Marks cookies `Secure` even where the gateway reports plain HTTP (a TLS terminator stands in front).
    package var secureCookies: Bool

    package init(
        panelURL: String, appURL: @escaping @Sendable (AppName) -> String, appForHost: @escaping @Sendable (String) -> AppName?,
        webFolder: String, secureCookies: Bool
    ) {
        self.panelURL = panelURL
        self.appURL = appURL
        self.appForHost = appForHost
        self.webFolder = webFolder
        self.secureCookies = secureCookies
    }
}
