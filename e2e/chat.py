"""Asks a served model as a client would: by the Service's address, streamed or not."""

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 120


@dataclass(frozen=True)
class Chat:
    """A client of one service."""

    url: str
    model: str

    def body(self, transcript: dict[str, Any]) -> dict[str, Any]:
        """The request of a transcript that tiny-chat knows."""
        body = {"model": self.model, "temperature": 0, "max_tokens": 200, "messages": transcript["messages"]}
        if "tools" in transcript:
            body["tools"] = transcript["tools"]
        if transcript.get("thinking"):
            body["chat_template_kwargs"] = {"enable_thinking": True}
        return body

    def message(self, transcript: dict[str, Any]) -> dict[str, Any]:
        """The whole answer."""
        answer: dict[str, Any] = json.loads(self.send(self.body(transcript)))["choices"][0]["message"]
        return answer

    def streamed(self, transcript: dict[str, Any]) -> dict[str, str]:
        """Content, reasoning and tool arguments, put together from a stream that ended as it should."""
        text = self.send(self.body(transcript) | {"stream": True})
        if not text.rstrip().endswith("data: [DONE]"):
            raise ConnectionError("the stream was cut")
        deltas = [
            json.loads(line[6:])["choices"][0]["delta"] for line in text.splitlines() if line.startswith("data: {")
        ]
        parts = [part["function"] for delta in deltas for part in delta.get("tool_calls") or ()]
        return {
            "content": "".join(delta.get("content") or "" for delta in deltas),
            "reasoning": "".join(delta.get("reasoning") or "" for delta in deltas),
            "arguments": "".join(part.get("arguments") or "" for part in parts),
        }

    def send(self, body: dict[str, Any]) -> str:
        """One request on a connection of its own. Raises ``ConnectionError`` for anything but 200."""
        where = urlsplit(self.url)
        connection = http.client.HTTPConnection(where.hostname or "", where.port or 80, timeout=TIMEOUT_SECONDS)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        if response.status != 200:
            raise ConnectionError(f"{response.status}: {text[:300]}")
        return text
