"""The address that is served: taken once, before anything else is started."""

import errno
import http.client
import socket
import time

from app.settings import SetupError

RETRY_SECONDS = 1.0  # a predecessor that was killed needs a moment to let go


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; callers wait in its queue until the API is up. Raises SetupError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    deadline = time.monotonic() + RETRY_SECONDS
    while True:
        try:
            return socket.create_server((host, port), family=family, backlog=2048)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and time.monotonic() < deadline:
                time.sleep(0.1)
                continue
            raise SetupError(_reason(error, host, port)) from error


def url(listener: socket.socket) -> str:
    """Where a person on this machine opens the service."""
    host, port = _near(listener)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def answers(listener: socket.socket) -> bool:
    """Whether the API is alive behind the socket; waits up to a second."""
    host, port = _near(listener)
    connection = http.client.HTTPConnection(host, port, timeout=1)
    try:
        connection.request("GET", "/health/live")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def _near(listener: socket.socket) -> tuple[str, int]:
    host, port = listener.getsockname()[:2]
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port  # noqa: S104 compared, not bound


def _reason(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is taken; stop what uses it, or choose another with --port"
    if error.errno == errno.EACCES:
        return f"port {port} needs more rights than this user has; choose one above 1023 with --port"
    return f"{host} is not an address of this machine"
