"""One HTTP request, and the one question that matters afterwards: may it have arrived?"""

import io

import requests

CONNECT_TIMEOUT = 5  # seconds
READ_TIMEOUT = 15  # seconds
MAX_ANSWER_SIZE = 64 * 1024  # bytes; what comes after them is not read


class NotSent(Exception):
    """The request did not reach the gateway; the cause is the `requests` error."""


class NoAnswer(Exception):
    """The request may have reached the gateway, its answer did not reach us."""


class _Body(io.BytesIO):
    """A request body that knows whether the connection began to transmit it."""

    started = False

    def read(self, *args):
        self.started = True
        return super().read(*args)


def http_post(url, headers, content):
    """POST the bytes `content` to `url`; return the status and the first bytes of the answer.

    A new connection each time: on a kept one, the server's closing it between two messages
    cannot be told from a lost answer. Redirects are not followed, so that credentials go to the
    configured address only.

    :raise NotSent: no connection, or it broke before the body was begun
    :raise NoAnswer: it broke, or timed out, later
    """
    body = _Body(content)
    try:
        with requests.post(
            url,
            data=body,
            headers=headers,
            timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
            allow_redirects=False,
            stream=True,
        ) as response:
            return response.status_code, response.raw.read(MAX_ANSWER_SIZE, decode_content=True)
    except Exception as error:
        # Everything that `requests` and urllib3 raise, and whatever else may break under way.
        raise (NoAnswer if body.started else NotSent)() from error
