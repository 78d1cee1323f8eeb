#!/usr/bin/env python3
"""sink.py PORT: reads each request's body as fast as it comes and answers an empty 200."""

import re
import socket
import sys
import threading

END = b"\r\n0\r\n\r\n"


def serve(sock):
    view = memoryview(bytearray(1 << 20))
    with sock:
        while True:
            head = b""
            while b"\r\n\r\n" not in head:
                data = sock.recv(65536)
                if not data:
                    return
                head += data
            head, _, body = head.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
            if length:
                left = int(length[1]) - len(body)
                while left > 0:
                    got = sock.recv_into(view, min(left, len(view)))
                    if not got:
                        return
                    left -= got
            elif b"hunked" in head:
                tail = body[-len(END):]
                while tail != END:
                    got = sock.recv_into(view)
                    if not got:
                        return
                    tail = (tail + bytes(view[max(0, got - len(END)) : got]))[-len(END):]
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
