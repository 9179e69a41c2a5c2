"""What a file is, by its content; its name must not say something else."""

import codecs
import re

from app.errors import Invalid, UnsupportedMediaType
from app.models.attachment import MediaType

_MAGIC = (
    (re.compile(rb"\xff\xd8\xff"), MediaType.JPEG),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), MediaType.PNG),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), MediaType.WEBP),
    (re.compile(rb"%PDF-"), MediaType.PDF),
)
_ENDINGS = {
    "jpg": MediaType.JPEG,
    "jpeg": MediaType.JPEG,
    "jpe": MediaType.JPEG,
    "png": MediaType.PNG,
    "webp": MediaType.WEBP,
    "pdf": MediaType.PDF,
    "txt": MediaType.TEXT,
}
_ENDING = re.compile(r"\.([A-Za-z0-9]{1,10})$")
_NO_TEXT = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]")
IMAGES = {MediaType.JPEG, MediaType.PNG, MediaType.WEBP}
HEAD = 16  # bytes that tell


class Kind:
    """Looks at a file as it passes by."""

    def __init__(self) -> None:
        self._head = b""
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._text = True

    def look(self, part: bytes) -> None:
        """The next bytes."""
        if len(self._head) < HEAD:
            self._head += part[: HEAD - len(self._head)]
        if self._text:
            self._text = _NO_TEXT.search(part) is None and self._decodes(part, final=False)

    def found(self) -> MediaType:
        """What all of it is; 415 for what nobody may attach: programs, archives, office files, web pages' scripts."""
        for magic, kind in _MAGIC:
            if magic.match(self._head):
                return kind
        if self._text and self._decodes(b"", final=True):
            return MediaType.TEXT
        raise UnsupportedMediaType

    def _decodes(self, part: bytes, *, final: bool) -> bool:
        try:
            self._decoder.decode(part, final)
        except UnicodeDecodeError:
            return False
        return True


def check_name(name: str, kind: MediaType) -> None:
    """422 when the ending of the name belongs to something else than the content, or to nothing that is let in."""
    ending = _ENDING.search(name)
    if ending and _ENDINGS.get(ending[1].lower()) is not kind:
        raise Invalid.at("/file", "content_is_not_its_name", "The content is not what the ending of the name says.")
