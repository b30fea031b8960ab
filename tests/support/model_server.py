#!/usr/bin/env python3
"""A scripted model: answers the streaming Messages protocol that Claude Code speaks, from a JSON file.

The file holds named scripts, each a list of turns:

    {"edit": [{"text": "I write it.", "tools": [{"name": "Bash", "input": {"command": "date > now"}}]},
              {"text": "Done."}],
     "refused": [{"status": 400, "error": "no such model"}],
     "default": [{"text": "ok"}]}

A prompt chooses its script by the words "[script:edit]" anywhere in its text; one without them gets "default". The
turn is the number of answers that the conversation already holds since that prompt, so a continued conversation
starts its new script at the first turn, and a request that is sent again gets the same turn again. After its last
turn a script answers "done". Requests that offer no tools (for titles and the like) get a short text.

A turn may have:
    text, tools      what the model says, and the tools that it then uses
    usage            {"input_tokens": n, "output_tokens": n}
    status, error    an HTTP error with that message instead
    times            the error only for the first so many requests of this turn
    wait_file        answer only once this file exists
    stall            "start": never answer; "middle": begin the stream, then say nothing more
    broken           "cut": close in the middle of the stream; "junk": a stream that is no JSON

The log has one JSON line a request: path, headers, script, turn, prompt, tool results, model, stream; with --whole
also the request itself.
"""

import argparse
import json
import os
import re
import select
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MARKER = re.compile(r"\[script:([A-Za-z0-9_.-]+)\]")


def blocks(message):
    """The content of a message as a list of blocks."""
    content = message.get("content", [])
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def place_in_script(messages):
    """(script's name, turn, prompt) of the next answer to these messages."""
    name, prompt, since = "default", "", 0
    for index, message in enumerate(messages):
        if message.get("role") != "user":
            continue
        for block in blocks(message):
            found = MARKER.search(block.get("text", "")) if block.get("type") == "text" else None
            if found:
                name, prompt, since = found.group(1), block["text"], index
    if name == "default":
        # The newest message of the user's that is no answer of a tool starts it.
        for index, message in enumerate(messages):
            texts = [block.get("text", "") for block in blocks(message) if block.get("type") == "text"]
            results = [block for block in blocks(message) if block.get("type") == "tool_result"]
            if message.get("role") == "user" and texts and not results:
                prompt, since = texts[-1], index
    turn = sum(1 for message in messages[since:] if message.get("role") == "assistant")
    return name, turn, prompt


def tool_results(messages):
    """What the tools of the newest answer gave, as texts."""
    results = []
    for block in blocks(messages[-1]) if messages else []:
        if block.get("type") == "tool_result":
            content = block.get("content", "")
            if not isinstance(content, str):
                content = "".join(part.get("text", "") for part in content)
            results.append({"text": content, "is_error": bool(block.get("is_error"))})
    return results


def events(turn, model, number):
    """The stream of one answer: (name, data) of each event."""
    usage = {"input_tokens": 100, "output_tokens": 20, **turn.get("usage", {})}
    yield "message_start", {
        "message": {
            "id": f"msg_{number:06}",
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {**usage, "output_tokens": 1},
        }
    }
    index = 0
    if turn.get("text") or not turn.get("tools"):
        text = turn.get("text", "done")
        yield "content_block_start", {"index": index, "content_block": {"type": "text", "text": ""}}
        middle = len(text) // 2
        for part in filter(None, (text[:middle], text[middle:])):
            yield "content_block_delta", {"index": index, "delta": {"type": "text_delta", "text": part}}
        yield "content_block_stop", {"index": index}
        index += 1
    for tool in turn.get("tools", []):
        block = {"type": "tool_use", "id": f"toolu_{number:06}_{index}", "name": tool["name"], "input": {}}
        yield "content_block_start", {"index": index, "content_block": block}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(tool["input"])}
        yield "content_block_delta", {"index": index, "delta": delta}
        yield "content_block_stop", {"index": index}
        index += 1
    reason = "tool_use" if turn.get("tools") else "end_turn"
    yield "message_delta", {"delta": {"stop_reason": reason, "stop_sequence": None}, "usage": usage}
    yield "message_stop", {}


def whole_message(turn, model, number):
    """The same answer for a client that wants no stream."""
    message, content = {}, []
    for name, data in events(turn, model, number):
        if name == "message_start":
            message = data["message"]
        elif name == "content_block_start":
            content.append(data["content_block"])
        elif name == "content_block_delta" and data["delta"]["type"] == "text_delta":
            content[-1]["text"] += data["delta"]["text"]
        elif name == "content_block_delta":
            content[-1]["input"] = json.loads(data["delta"]["partial_json"])
        elif name == "message_delta":
            message.update(data["delta"], usage=data["usage"])
    return {**message, "content": content}


ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer_json(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def answer_error(self, status, message):
        kind = ERROR_TYPES.get(status, "api_error")
        self.answer_json(status, {"type": "error", "error": {"type": kind, "message": message}})

    def do_HEAD(self):
        self.answer_json(200, {})

    def do_GET(self):
        self.server.note({"method": "GET", "path": self.path})
        self.answer_error(404, "not found")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        path = self.path.split("?")[0]
        try:
            request = json.loads(body or b"{}")
        except ValueError:
            request = None
        if path == "/v1/messages" and request is not None:
            self.answer_messages(request)
            return
        self.server.note({"method": "POST", "path": self.path})
        if path == "/v1/messages/count_tokens":
            self.answer_json(200, {"input_tokens": 100})
        else:
            self.answer_error(404, "not found")

    def answer_messages(self, request):
        messages = request.get("messages", [])
        name, index, prompt = place_in_script(messages)
        if request.get("tools"):
            unknown = "ok" if name == "default" else f"no script named '{name}'"
            script = self.server.script.get(name, [{"text": unknown}])
            turn = script[index] if index < len(script) else {"text": "done"}
        else:
            name, index, turn = None, 0, {"text": "ok"}
        number = self.server.note(
            {
                "method": "POST",
                "path": self.path,
                "script": name,
                "turn": index,
                "prompt": prompt,
                "tool_results": tool_results(messages),
                "model": request.get("model"),
                "stream": bool(request.get("stream")),
                "headers": {key.lower(): value for key, value in self.headers.items()},
                **({"request": request} if self.server.whole else {}),
            }
        )
        while turn.get("wait_file") and not os.path.exists(turn["wait_file"]):
            time.sleep(0.02)
        if turn.get("stall") == "start":
            self.stall()
        elif "status" in turn and self.server.still_fails(name, index, turn.get("times")):
            self.answer_error(turn["status"], turn.get("error", "scripted error"))
        elif request.get("stream"):
            self.answer_stream(turn, request.get("model"), number)
        else:
            self.answer_whole(turn, request.get("model"), number)

    def answer_whole(self, turn, model, number):
        """Without a stream, as the agent asks once more after a stream that broke: then this breaks too."""
        body = json.dumps(whole_message(turn, model, number)).encode()
        shown = body
        if turn.get("broken") == "junk":
            shown = body[::-1]
        elif turn.get("broken") or turn.get("stall"):
            shown = body[: len(body) // 2]
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(shown)
        if turn.get("stall"):
            self.stall()
        self.close_connection = self.close_connection or shown != body

    def answer_stream(self, turn, model, number):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("cache-control", "no-cache")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        for position, (name, data) in enumerate(events(turn, model, number)):
            if position == 3 and turn.get("stall") == "middle":
                self.stall()
                return
            if position == 3 and turn.get("broken") == "cut":
                return
            text = json.dumps({"type": name, **data})
            if position == 3 and turn.get("broken") == "junk":
                text = "{" + text[::-1]
            self.wfile.write(f"event: {name}\ndata: {text}\n\n".encode())
            self.wfile.flush()

    def stall(self):
        """Says nothing until the client gives up."""
        self.close_connection = True
        while True:
            readable, _, _ = select.select([self.connection], [], [], 1)
            if readable and not self.connection.recv(4096):
                return


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address, script, log, whole):
        super().__init__(address, Handler)
        self.whole = whole
        self.script = script
        self.log = log
        self.lock = threading.Lock()
        self.requests = 0
        self.failures = {}

    def note(self, record):
        """Logs a request; returns its number."""
        with self.lock:
            self.requests += 1
            if self.log:
                self.log.write(json.dumps({"number": self.requests, **record}) + "\n")
                self.log.flush()
            return self.requests

    def still_fails(self, name, index, times):
        with self.lock:
            self.failures[name, index] = self.failures.get((name, index), 0) + 1
            return times is None or self.failures[name, index] <= times

    def handle_error(self, request, client_address):
        # Clients that hang up are part of the play.
        if not isinstance(sys.exc_info()[1], (OSError, ValueError)):
            super().handle_error(request, client_address)


def main():
    parser = argparse.ArgumentParser(description="a scripted model server")
    parser.add_argument("--script", required=True, help="JSON file with the scripts")
    parser.add_argument("--bind", default="127.0.0.1", help="address")
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    parser.add_argument("--port-file", help="gets the port once the server is ready")
    parser.add_argument("--log", help="file that gets a line for each request")
    parser.add_argument("--whole", action="store_true", help="log each request as it came, too")
    parser.add_argument("--cert", help="certificate (PEM): speak https")
    parser.add_argument("--key", help="its key (PEM)")
    options = parser.parse_args()

    with open(options.script, encoding="utf-8") as file:
        script = json.load(file)
    log = open(options.log, "a", encoding="utf-8") if options.log else None
    server = Server((options.bind, options.port), script, log, options.whole)
    if options.cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.cert, options.key)
        # The handshake belongs to the connection's own thread.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    if options.port_file:
        with open(options.port_file + ".new", "w", encoding="ascii") as file:
            file.write(f"{server.server_port}\n")
        os.rename(options.port_file + ".new", options.port_file)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
