/// What looks for installed packages inside a layer. It reads their records and runs none of their code, as a user that may
/// change nothing, and is given nothing secret.
enum InventoryScript {
    static let arguments = ["/bin/sh", "-c", shell, "inventory", python]

    /// POSIX shell; "$1" is the Python part.
    private static let shell = #"""
        if command -v dpkg-query >/dev/null 2>&1; then
            dpkg-query --show --showformat='${db:Status-Status} deb\t${Package}\t${Version}\t${Architecture}\n' 2>/dev/null |
                sed -n 's/^installed deb/deb/p'
        fi
        for python in /usr/bin/python3 /opt/*/bin/python3 python3; do
            if command -v "$python" >/dev/null 2>&1; then "$python" -I -S -B -c "$1"; break; fi
        done
        for r in /opt/*/bin/Rscript Rscript; do
            if command -v "$r" >/dev/null 2>&1; then
                "$r" --vanilla -e 'p <- installed.packages(fields = "License"); p <- p[!(p[, "Priority"] %in% "base"), , drop = FALSE]
                    p[is.na(p)] <- ""; cat(sprintf("cran\t%s\t%s\t%s\n", p[, "Package"], p[, "Version"], p[, "License"]), sep = "")' 2>/dev/null
                break
            fi
        done
        exit 0
        """#

    /// Python 3.8 or newer. Debian's own Python packages are Debian's; conda's are conda's.
    private static let python = #"""
        import glob, json, re
        from importlib import metadata

        def tell(**package):
            print(json.dumps({key: value for key, value in package.items() if value}))

        def license_of(about):
            expression = about.get("License-Expression")
            if expression:
                return expression.strip(), True
            named = [line.split(" :: ")[-1] for line in about.get_all("Classifier") or [] if line.startswith("License :: ")]
            named = [name for name in named if name != "OSI Approved"]
            if named:
                return " AND ".join(named), False
            text = (about.get("License") or "").strip()
            return (text, False) if text and len(text) <= 100 and "\n" not in text and text != "UNKNOWN" else (None, False)

        def hashes_of(origin):
            archive = json.loads(origin).get("archive_info", {}) if origin else {}
            found = dict(archive.get("hashes") or {})
            if not found and "=" in (archive.get("hash") or ""):
                found = dict([archive["hash"].split("=", 1)])
            names = {"sha256": "SHA-256", "sha512": "SHA-512", "sha384": "SHA-384", "sha1": "SHA-1", "md5": "MD5"}
            return {names[key]: value for key, value in found.items() if key in names}

        folders = glob.glob("/opt/*/lib/python3*/site-packages") + glob.glob("/usr/local/lib/python3*/*-packages")
        for folder in sorted(folders):
            for package in metadata.distributions(path=[folder]):
                try:
                    about = package.metadata
                    if not about["Name"] or (package.read_text("INSTALLER") or "").strip() == "conda":
                        continue
                    text, is_expression = license_of(about)
                    tell(kind="pypi", name=about["Name"], version=package.version or "", license=text, isLicenseExpression=is_expression,
                        hashes=hashes_of(package.read_text("direct_url.json")))
                except Exception:
                    continue

        for path in sorted(glob.glob("/opt/*/conda-meta/*.json")):
            try:
                with open(path) as file:
                    about = json.load(file)
                # A channel may be a URL with a token in it: its last part names it.
                parts = [part for part in re.split("[/]+", about.get("channel") or "") if part]
                parts = [part for part in parts if part != about.get("subdir")]
                tell(kind="conda", name=about["name"], version=about.get("version") or "", build=about.get("build"),
                    channel=parts[-1] if parts and "@" not in parts[-1] else None, subdirectory=about.get("subdir"), license=about.get("license"),
                    hashes={name: about[key] for name, key in {"SHA-256": "sha256", "MD5": "md5"}.items() if about.get(key)})
            except Exception:
                continue
        """#
}
