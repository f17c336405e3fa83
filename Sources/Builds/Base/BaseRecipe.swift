import Crypto
import Foundation

/// How the base image is made. Its digest names the image, so that a changed recipe makes a new one.
struct BaseRecipe: Sendable, Hashable {
    var suite = "bookworm"
    var packages = ["ca-certificates", "python3", "python3-venv", "usr-is-merged"]
    var uv = "0.13.8"
    /// What no app needs at run time.
    var excluded = [
        "/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/lintian/*", "/usr/share/bug/*",
    ]

    /// Shell commands with the new root as "$1"; what comes from outside comes by environment variables.
    var hooks: [String] {
        [
            // The host's certificates, for the time of the making only.
            #"if [ -n "$MOOR_CA" ]; then cp --dereference "$MOOR_CA" "$1/opt/moor-ca.crt"; fi"#,
            #"chroot "$1" python3 -m venv /opt/moor-venv"#,
            #"chroot "$1" /opt/moor-venv/bin/pip install --quiet --no-cache-dir --no-deps "uv==$MOOR_UV""#,
            #"mv "$1/opt/moor-venv/bin/uv" "$1/usr/local/bin/uv""#,
            #"rm --recursive "$1/opt/moor-venv"; rm --force "$1/opt/moor-ca.crt""#,
            // Only there to make the new root a merged one; it brings all of Perl, of which apt needs only perl-base.
            #"chroot "$1" apt-get --yes --quiet=2 --autoremove purge usrmerge perl 'perl-modules-*' 'libperl5*' 'lib*-perl'"#,
            #"chroot "$1" useradd --uid 10001 --user-group --no-create-home --home-dir /app --shell /usr/sbin/nologin app"#,
            #"install --directory --owner=10001 --group=10001 "$1/app""#,
            #"rm --recursive --force "$1"/var/log/* "$1"/var/cache/* "$1"/var/lib/apt/lists/* "$1"/tmp/*"#,
        ]
    }

    var digest: String {
        let text = (["base 1", suite, uv] + packages + excluded + hooks).joined(separator: "\n")
        return SHA256.hash(data: Data(text.utf8)).prefix(8).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    /// - Parameters:
    ///   - sources: the host's own lines for the Debian archive; empty: Debian's default mirror.
    func arguments(target: String, sources: [String]) -> [String] {
        ["--variant=minbase", "--format=tar", "--include=\(packages.joined(separator: ","))"]
            + excluded.map { "--dpkgopt=path-exclude=\($0)" } + hooks.map { "--customize-hook=\($0)" } + [suite, target] + sources
    }
}
