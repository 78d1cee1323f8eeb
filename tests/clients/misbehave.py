"""An upstream that misbehaves on request: the last part of the path says how.

It records what arrives byte for byte, and verifies nothing.
"""

import socket
import struct
import threading
import time

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Arrived:
    """One request as its bytes came in."""

    def __init__(self, head: bytes, body: bytes):
        self.head, self.body = head, body

    @property
    def first(self):
        return self.head.split(b"\r\n", 1)[0].decode("latin-1")

    @property
    def headers(self):
        lines = self.head.split(b"\r\n")[1:]
        split = (line.partition(b":") for line in lines if line)
        return [(n.decode("latin-1"), v.strip().decode("latin-1")) for n, _, v in split]

    def get(self, name):
        return [value for n, value in self.headers if n.lower() == name.lower()]


class Misbehaving:
    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.url = f"http://{self.address}"
        self.arrived = []
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        sock.settimeout(30)
        with sock:
            try:
                reader = Reader(sock)
                while self._one(reader):
                    pass
            except (OSError, EOFError, ValueError):
                pass

    def _one(self, reader):
        head = reader.until(b"\r\n\r\n")
        request = Arrived(head, b"")
        sock, how = reader.sock, request.first.split(" ")[1].split("?")[0].rsplit("/", 1)[-1]
        answer = getattr(self, "how_" + how.replace("-", "_"), None)
        if how in ("early-413", "refuse-continue"):
            self.arrived.append(request)
            return answer(sock)
        if request.get("expect"):
            sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.body = reader.body(request)
        self.arrived.append(request)
        if answer:
            return answer(sock)
        sock.sendall(OK)
        return True

    def how_early_413(self, sock):
        """Answers before the body is read, then closes."""
        sock.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlarge")
        sock.shutdown(socket.SHUT_WR)
        time.sleep(0.5)

    def how_refuse_continue(self, sock):
        body = b"<Error><Code>AccessDenied</Code><Message>early</Message></Error>"
        sock.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Type: application/xml\r\n"
                     b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    def how_stall(self, sock):
        time.sleep(20)

    def how_stall_body(self, sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        time.sleep(20)

    def how_close_at_once(self, sock):
        """Ends the connection without a byte."""

    def how_reset_in_head(self, sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Le")
        reset(sock)

    def how_reset_in_body(self, sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 1000)
        time.sleep(0.2)
        reset(sock)

    def how_cut_chunked(self, sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n")
        time.sleep(0.2)

    def how_malformed(self, sock):
        sock.sendall(b"this is no HTTP at all\r\n\r\n")

    def how_bad_status(self, sock):
        sock.sendall(b"HTTP/1.1 2000 what\r\n\r\n")

    def how_two_lengths(self, sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!")

    def how_huge_head(self, sock):
        lines = b"".join(b"X-Long-%d: %s\r\n" % (n, b"y" * 8000) for n in range(200))
        sock.sendall(b"HTTP/1.1 200 OK\r\n" + lines + b"Content-Length: 2\r\n\r\nok")

    def how_until_close(self, sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"z" * 50_000)

    def how_trailers(self, sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-amz-sum\r\n\r\n"
                     b"5\r\nabcde\r\n0\r\nx-amz-sum: 12\r\n\r\n")
        return True

    def how_odd_headers(self, sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\nx-LOWER-Upper: 1\r\nset-cookie: a=1\r\n"
                     b"set-cookie: b=2\r\nx-latin: caf\xe9\r\nContent-Length: 2\r\n\r\nok")
        return True

    def how_no_content(self, sock):
        sock.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        return True

    def how_hints(self, sock):
        sock.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK)
        return True


def reset(sock):
    """Closes with RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


class Reader:
    def __init__(self, sock):
        self.sock, self.buffer = sock, b""

    def _more(self):
        data = self.sock.recv(65536)
        if not data:
            raise EOFError
        self.buffer += data

    def until(self, mark):
        while mark not in self.buffer:
            self._more()
        found, _, self.buffer = self.buffer.partition(mark)
        return found + mark

    def exactly(self, size):
        while len(self.buffer) < size:
            self._more()
        found, self.buffer = self.buffer[:size], self.buffer[size:]
        return found

    def body(self, request):
        if request.get("transfer-encoding"):
            out = b""
            while size := int(self.until(b"\r\n").split(b";")[0], 16):
                out += self.exactly(size + 2)[:-2]
            while self.until(b"\r\n") != b"\r\n":
                pass
            return out
        return self.exactly(int((request.get("content-length") or ["0"])[0]))
