#!/usr/bin/env python3
"""A package index (PEP 503) of wheels that it makes itself.

usage: python_index.py <dir> <port file> [--cert <server.pem> --key <server.key>] <name>==<version>[:<needs>,…]…

Writes the wheels and their pages to <dir>, then serves them on a port of 127.0.0.1 that it writes to <port file>. Each
package is one module that knows its version; its log of requests is <dir>/requests.
"""
import base64, functools, hashlib, http.server, os, ssl, sys, zipfile

directory, port_file, *words = sys.argv[1:]
cert = key = None
if words[0] == "--cert":
    cert, key, words = words[1], words[3], words[4:]


def wheel(name, version, needs):
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f'__version__ = "{version}"\n',
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        + "".join(f"Requires-Dist: {need}\n" for need in needs),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(text)}\n"
    files[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    file = f"{name}-{version}-py3-none-any.whl"
    os.makedirs(f"{directory}/simple/{name}", exist_ok=True)
    with zipfile.ZipFile(f"{directory}/simple/{name}/{file}", "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path, (2026, 1, 2, 3, 4, 6)), text)
    with open(f"{directory}/simple/{name}/{file}", "rb") as made:
        digest = hashlib.sha256(made.read()).hexdigest()
    with open(f"{directory}/simple/{name}/index.html", "a") as page:
        page.write(f'<a href="{file}#sha256={digest}">{file}</a><br>\n')
    with open(f"{directory}/hashes", "a") as hashes:
        hashes.write(f"{name}=={version} --hash=sha256:{digest}\n")


for word in words:
    package, _, needs = word.partition(":")
    name, version = package.split("==")
    wheel(name, version, [need for need in needs.split(",") if need])


class Handler(http.server.SimpleHTTPRequestHandler):
    def end_headers(self):
        if self.path.endswith(".whl"):
            self.send_header("Cache-Control", "max-age=86400")
        super().end_headers()

    def log_message(self, format, *args):
        with open(f"{directory}/requests", "a") as log:
            log.write(format % args + "\n")


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=directory))
if cert:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
with open(port_file + ".new", "w") as file:
    file.write(str(server.server_address[1]))
os.rename(port_file + ".new", port_file)
server.serve_forever()
