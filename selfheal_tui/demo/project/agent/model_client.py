"""Talks to the language model that runs on this machine."""

import http.client
import json


class ModelClient:
    """A minimal client for the local completion endpoint."""

    def __init__(self, host, port, name, timeout=5):
        self.host = host
        self.port = port
        self.name = name
        self.timeout = timeout

    def complete(self, prompt):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=self.timeout)
        try:
            body = json.dumps({"model": self.name, "prompt": prompt})
            connection.request("POST", "/v1/completions", body, {"Content-Type": "application/json"})
            answer = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return answer["choices"][0]["text"]
