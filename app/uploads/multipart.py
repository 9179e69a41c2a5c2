"""multipart/form-data of which exactly one part is wanted: a file, named `file`. Nothing of it is kept here."""

from pydantic_core import PydanticCustomError
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from app.errors import Invalid, UnsupportedMediaType
from app.text import clean_line

PART = b"file"
LONGEST_NAME = 200


class OneFile:
    """Takes the body as it comes and gives the content of the file; raises 415 and 422 as soon as they are certain."""

    def __init__(self, request: Request) -> None:
        kind, options = parse_options_header(request.headers.get("content-type"))
        if kind != b"multipart/form-data":
            raise UnsupportedMediaType
        self.name: str | None = None
        self._found: list[bytes] = []
        self._field, self._value = bytearray(), bytearray()
        self._disposition: bytes | None = None
        self._complete = False
        try:
            self._parser = MultipartParser(
                options.get(b"boundary", b"") or b"\0",
                {
                    "on_part_begin": self._begin_part,
                    "on_header_field": lambda data, start, end: self._field.extend(data[start:end]),
                    "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._end_headers,
                    "on_part_data": lambda data, start, end: self._found.append(data[start:end]),
                    "on_end": self._end,
                },
            )
        except FormParserError:
            raise _malformed() from None

    def feed(self, data: bytes) -> bytes:
        """What of the file's content is in these bytes of the body."""
        try:
            self._parser.write(data)
        except FormParserError:
            raise _malformed() from None
        content, self._found = b"".join(self._found), []
        return content

    def finish(self) -> str:
        """The name of the file, when the body was whole."""
        if not self._complete:
            raise _malformed()
        if self.name is None:
            raise Invalid.at("/file", "missing", "A part named file is wanted.")
        return self.name

    def _begin_part(self) -> None:
        if self.name is not None:
            raise Invalid.at("", "too_many_parts", "One part is wanted, named file.")
        self._disposition = None

    def _end_header(self) -> None:
        if self._field.lower() == b"content-disposition":
            if self._disposition is not None:
                raise _malformed()
            self._disposition = bytes(self._value)
        self._field.clear()
        self._value.clear()

    def _end_headers(self) -> None:
        kind, options = parse_options_header((self._disposition or b"").decode("latin-1"))
        if kind != b"form-data" or b"name" not in options:
            raise _malformed()
        if options[b"name"] != PART:
            raise Invalid.at("", "unknown_field", "One part is wanted, named file.")
        if not options.get(b"filename"):
            raise Invalid.at("/file", "not_a_file", "The part named file is not a file with a name.")
        self.name = _clean(options[b"filename"])

    def _end(self) -> None:
        self._complete = True


def _clean(name: bytes) -> str:
    try:
        text = name.decode("utf-8")
        return clean_line(text.replace("\\", "/").rpartition("/")[2], LONGEST_NAME)
    except UnicodeDecodeError:
        raise Invalid.at("/file", "name_encoding", "The name of the file is not UTF-8.") from None
    except PydanticCustomError as error:
        raise Invalid.at("/file", error.type, error.message()) from None


def _malformed() -> Invalid:
    return Invalid.at("", "malformed_body", "The body cannot be read.")
