#!/usr/bin/env python3
"""A small HTTP server with a pool of threads, under load from its own clients.

GET /text?seed=S answers with a text and how often each of its words occurs, as JSON: some work for each request.
Server and clients are in one process and talk through the loopback interface; each of the N server threads
answers its own connections, and N client threads keep one connection open each.
"""

import json
import socket
import threading
import urllib.parse

from measure import Tickets, arguments, check, report, run_threads, timed

WORDS = "the lock is a part that you choose and the rest of the house does not know".split()


def answer_text(query):
    """The handler of /text: pseudo-random words and their counts."""
    seed = int(query.get("seed", ["1"])[0])
    text, counts = [], {}
    for _ in range(600):
        seed = (seed * 1103515245 + 12345) % 2147483648
        word = WORDS[seed >> 16 & 15]
        text.append(word)
        counts[word] = counts.get(word, 0) + 1
    return {"text": " ".join(text), "counts": counts}


HANDLERS = {"/text": answer_text}


class Connection:
    """Lines and blocks of bytes over a socket."""

    def __init__(self, sock):
        self.sock = sock
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def fill(self):
        data = self.sock.recv(65536)
        self.buffer += data
        return bool(data)

    def read_head(self):
        """The lines up to an empty one; None at the end of the connection."""
        while (end := self.buffer.find(b"\r\n\r\n")) < 0:
            if not self.fill():
                return None
        head, self.buffer = self.buffer[:end], self.buffer[end + 4:]
        return head.decode("latin-1").split("\r\n")

    def read_body(self, length):
        while len(self.buffer) < length and self.fill():
            pass
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return body


def serve(listener):
    """A server thread: one connection after the other, and on each one request after the other."""
    while True:
        try:
            sock, _ = listener.accept()
        except OSError:
            return  # the listener was closed
        with sock:
            connection = Connection(sock)
            while (head := connection.read_head()) is not None:
                method, target, _ = head[0].split(" ")
                url = urllib.parse.urlsplit(target)
                handler = HANDLERS.get(url.path)
                if method != "GET" or handler is None:
                    status, result = "404 Not Found", {"error": "no such page"}
                else:
                    status, result = "200 OK", handler(urllib.parse.parse_qs(url.query))
                body = json.dumps(result).encode()
                sock.sendall(f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
                             f"Content-Length: {len(body)}\r\n\r\n".encode() + body)


def request(connection, target):
    connection.sock.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    head = connection.read_head()
    length = next(int(line.partition(":")[2]) for line in head if line.lower().startswith("content-length"))
    return int(head[0].split(" ")[1]), json.loads(connection.read_body(length))


def main():
    args = arguments(__doc__.splitlines()[0], requests=1500)
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    servers = [threading.Thread(target=serve, args=(listener,), daemon=True) for _ in range(args.threads)]
    for thread in servers:
        thread.start()
    tickets = Tickets(args.requests)

    def client(_):
        words = 0
        with socket.create_connection(listener.getsockname()) as sock:
            connection = Connection(sock)
            for number in tickets:
                status, result = request(connection, f"/text?seed={number}")
                check("status", status, 200)
                words += sum(result["counts"].values())
        return words

    with timed() as time:
        words = run_threads(args.threads, client)
    check("words served", sum(words), args.requests * 600)
    with socket.create_connection(listener.getsockname()) as sock:
        check("status of a page that is not there", request(Connection(sock), "/nothing")[0], 404)
    listener.close()
    report(args, time.seconds, f"{args.requests} requests, {args.requests / time.seconds:.0f} a second")


if __name__ == "__main__":
    main()
