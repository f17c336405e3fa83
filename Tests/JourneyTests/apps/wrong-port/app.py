import http.server

print("listening on 8050", flush=True)
http.server.HTTPServer(("0.0.0.0", 8050), http.server.SimpleHTTPRequestHandler).serve_forever()
