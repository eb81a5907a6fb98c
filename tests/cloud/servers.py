"""A server that speaks S3, and somebody in between who counts and gets in the way."""

import http.client
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOST = "127.0.0.1"


def free_port():
    with socket.socket() as one:
        one.bind((HOST, 0))
        return one.getsockname()[1]


class Moto:
    def __enter__(self):
        self.port = free_port()
        command = [sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(self.port)]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(command, **quiet)
        for _ in range(300):
            try:
                socket.create_connection((HOST, self.port)).close()
                return self
            except OSError:
                time.sleep(0.1)
        raise TimeoutError("the server does not start")

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def answer(status, code, message="because"):
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return status, body.encode()


class Between(BaseHTTPRequestHandler):
    """Hands requests on, counts their bytes, and asks `fault` first: it gives `None`, a status with
    a body, "cut" for no answer, or "half" for the first half of one."""

    protocol_version = "HTTP/1.1"

    def handle_request(self):
        proxy = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with proxy.lock:
            proxy.requests.append(f"{self.command} {self.path}")
            proxy.sent += len(body) + len(str(self.headers)) + len(self.requestline)
        fault = proxy.fault(self.command, self.path, self.headers)
        if fault == "cut":
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        headers, length = [], None
        if fault in (None, "half"):
            server = http.client.HTTPConnection(HOST, proxy.to)
            server.request(self.command, self.path, body or None, dict(self.headers.items()))
            response = server.getresponse()
            status, content = response.status, response.read()
            dropped = ("content-length", "transfer-encoding", "connection")
            headers = [pair for pair in response.getheaders() if pair[0].lower() not in dropped]
            length = response.getheader("Content-Length")
            server.close()
        else:
            status, content = fault
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        is_head = self.command == "HEAD"
        self.send_header("Content-Length", (length or "0") if is_head else str(len(content)))
        self.end_headers()
        if fault == "half":
            content = content[: len(content) // 2]
            self.close_connection = True
        with proxy.lock:
            proxy.received += len(content) + sum(len(a) + len(b) for a, b in headers)
        if not is_head:
            self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_request

    def log_message(self, *_):
        pass


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Clients that are killed hang up."""


class Proxy:
    def __init__(self, to):
        self.server = Quiet((HOST, 0), Between)
        self.server.to, self.server.lock = to, threading.Lock()
        self.url = f"http://{HOST}:{self.server.server_address[1]}"
        self.reset()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def reset(self, fault=lambda method, path, headers: None):
        self.server.requests, self.server.sent, self.server.received = [], 0, 0
        self.server.fault = fault

    @property
    def requests(self):
        return self.server.requests

    @property
    def moved(self):
        return self.server.sent + self.server.received

    def close(self):
        self.server.shutdown()
        self.server.server_close()
