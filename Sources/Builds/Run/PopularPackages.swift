/// Names that a mistyped one is likely meant to be.
enum PopularPackages {
    static let names = [
        "aiohttp", "altair", "anthropic", "beautifulsoup4", "bokeh", "boto3", "botocore", "catboost", "celery", "certifi",
        "charset-normalizer",
        "click", "cryptography", "dash", "dash-ag-grid", "dash-auth", "dash-bootstrap-components", "dash-enterprise-auth",
        "dash-mantine-components", "dask", "diskcache", "django", "duckdb", "fastapi", "flask", "flask-caching", "flask-cors", "fsspec",
        "geopandas", "gevent", "gradio", "great-tables", "gunicorn", "httpx", "huggingface-hub", "ibis-framework", "ipython", "jinja2",
        "joblib",
        "jupyter", "keras", "lightgbm", "lxml", "matplotlib", "networkx", "nltk", "numba", "numpy", "openai", "opencv-python", "openpyxl",
        "orjson", "pandas", "panel", "pillow", "plotly", "plotly-express", "polars", "prophet", "psutil", "psycopg", "psycopg2",
        "psycopg2-binary", "pyarrow", "pydantic", "pyjwt", "pymongo", "pymysql", "pyodbc", "pytest", "python-dateutil", "python-dotenv",
        "pytz",
        "pyyaml", "redis", "requests", "rich", "ruff", "s3fs", "scikit-learn", "scipy", "seaborn", "sentence-transformers", "setuptools",
        "shapely", "shiny", "six", "snowflake-connector-python", "spacy", "sqlalchemy", "starlette", "statsmodels", "streamlit", "sympy",
        "tabulate", "tensorflow", "torch", "torchvision", "tornado", "tqdm", "transformers", "typer", "urllib3", "uvicorn", "vega-datasets",
        "waitress", "werkzeug", "xarray", "xgboost", "xlsxwriter",
    ]

    /// Module names that are not the names of the packages they come from.
    private static let modules = [
        "bs4": "beautifulsoup4", "cv2": "opencv-python", "dateutil": "python-dateutil", "dotenv": "python-dotenv", "pil": "pillow",
        "sklearn": "scikit-learn", "yaml": "pyyaml", "jwt": "pyjwt", "dash-core-component": "dash",
    ]

    /// The nearest name at an edit distance of at most two, one for short names.
    static func near(_ name: String) -> String? {
        let name = Requirements.normalise(name)
        if let package = modules[name] { return package }
        let most = name.count < 5 ? 1 : 2
        let best = names.map { (name: $0, distance: distance($0, name)) }.min { $0.distance < $1.distance }
        return best.flatMap { $0.distance > 0 && $0.distance <= most ? $0.name : nil }
    }

    /// Insertions, deletions, replacements and swaps of neighbours (Damerau-Levenshtein, optimal string alignment).
    static func distance(_ a: String, _ b: String) -> Int {
        let a = Array(a.utf8)
        let b = Array(b.utf8)
        var rows = [Array(0...b.count)]
        for i in 1..<(a.count + 1) {
            var row = [i]
            for j in 1..<(b.count + 1) {
                var best = min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { best = min(best, rows[i - 2][j - 2] + 1) }
                row.append(best)
            }
            rows.append(row)
        }
        return rows[a.count][b.count]
    }
}
