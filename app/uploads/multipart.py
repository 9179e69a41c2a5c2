"""multipart/form-data with exactly one file, named `file`, and the texts beside it. The file is not kept here."""

from collections.abc import Collection

from pydantic_core import PydanticCustomError
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from app.errors import Invalid, UnsupportedMediaType
from app.text import clean_line

FILE = "file"
LONGEST_NAME = 200
MOST_TEXT = 100_000  # bytes of each text


class FileForm:
    """Takes the body as it comes and gives the content of the file; raises 415 and 422 as soon as they are certain.

    `texts`: names of the parts that may stand beside the file, once each; their values are in `fields` at the end.
    """

    def __init__(self, request: Request, texts: Collection[str] = ()) -> None:
        kind, options = parse_options_header(request.headers.get("content-type"))
        if kind != b"multipart/form-data":
            raise UnsupportedMediaType
        self.name: str | None = None
        self.fields: dict[str, str] = {}
        self._texts = texts
        self._found: list[bytes] = []
        self._field, self._value, self._text = bytearray(), bytearray(), bytearray()
        self._part, self._disposition = FILE, b""
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
                    "on_part_data": lambda data, start, end: self._take(data[start:end]),
                    "on_part_end": self._end_part,
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
            raise Invalid.at("/file", "required", "A part named file is wanted.")
        return self.name

    def _begin_part(self) -> None:
        if self.name is not None and not self._texts:
            raise Invalid.at("", "too_many_parts", "One part is wanted, named file.")
        self._disposition = b""

    def _end_header(self) -> None:
        if self._field.lower() == b"content-disposition":
            if self._disposition:
                raise _malformed()
            self._disposition = bytes(self._value)
        self._field.clear()
        self._value.clear()

    def _end_headers(self) -> None:
        kind, options = parse_options_header(self._disposition.decode("latin-1"))
        if kind != b"form-data" or b"name" not in options:
            raise _malformed()
        self._part = options[b"name"].decode("latin-1")
        if self._part == FILE:
            self._begin_file(options.get(b"filename"))
        elif self._part not in self._texts:
            raise Invalid.at("", "unknown_field", "There is no such field.")
        elif self._part in self.fields or options.get(b"filename") is not None:
            raise Invalid.at(f"/{self._part}", "duplicate_field", "This is not one text.")

    def _begin_file(self, name: bytes | None) -> None:
        if self.name is not None:
            raise Invalid.at("", "too_many_parts", "One part is wanted, named file.")
        if not name:
            raise Invalid.at("/file", "not_a_file", "The part named file is not a file with a name.")
        self.name = _clean(name)

    def _take(self, data: bytes) -> None:
        if self._part == FILE:
            self._found.append(data)
            return
        self._text += data
        if len(self._text) > MOST_TEXT:
            raise Invalid.at(f"/{self._part}", "too_long", "This text is too long.")

    def _end_part(self) -> None:
        if self._part == FILE:
            return
        try:
            self.fields[self._part] = self._text.decode("utf-8")
        except UnicodeDecodeError:
            raise _malformed() from None
        self._text.clear()

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
