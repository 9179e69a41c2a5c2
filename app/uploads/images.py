"""Photographs written anew: only what is seen is kept, not where, when and with which telephone it was taken."""

import io
import warnings
from typing import Any

from PIL import Image, ImageOps
from PIL.JpegImagePlugin import get_sampling

from app.errors import Invalid
from app.models.attachment import MediaType

MOST_PIXELS = 50_000_000  # 150 to 200 MB when it is opened; the largest telephones of today take photographs of so many
_FORMATS = {MediaType.JPEG: "JPEG", MediaType.PNG: "PNG", MediaType.WEBP: "WEBP"}
_OPENED = {"JPEG": ("JPEG", "MPO"), "PNG": ("PNG",), "WEBP": ("WEBP",)}  # MPO: a JPEG with a second picture behind it
_MODES = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"}
_GOOD = 90  # of 100, where the picture does not say how it was compressed before

# Pillow only warns of up to twice as many and refuses more; here its warning is a refusal too. It looks at the header.
Image.MAX_IMAGE_PIXELS = MOST_PIXELS
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


def written_anew(content: bytes, kind: MediaType) -> bytes:
    """The same picture, upright, without anything else that was in the file. 422 when it is none, or too large.

    Takes up to 400 MB for a moment; called by one thread at a time (app/file_bounds.py).
    """
    try:
        return _written(content, _FORMATS[kind])
    except Invalid:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _refusal("image_too_large", "The picture has too many pixels.") from None
    except Exception:  # a decoder meets hostile bytes: whatever it raises, this is no picture
        raise _refusal("image_broken", "The picture cannot be opened.") from None


def _written(content: bytes, form: str) -> bytes:
    with Image.open(io.BytesIO(content), formats=(form,)) as image:
        if image.width * image.height > MOST_PIXELS:
            raise _refusal("image_too_large", "The picture has too many pixels.")
        if image.format not in _OPENED[form] or image.mode not in _MODES:
            raise _refusal("image_unsupported", "Pictures of this kind cannot be kept whole.")
        if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
            raise _refusal("image_moving", "Moving pictures are not accepted.")
        ImageOps.exif_transpose(image, in_place=True)
        mode = _mode(image, form)
        clean = image if image.mode == mode else image.convert(mode)
        clean.info.clear()
        kept = io.BytesIO()
        clean.save(kept, form, **_compression(image, form))
        return kept.getvalue()


def _compression(image: Image.Image, form: str) -> dict[str, Any]:
    """A JPEG is compressed as it was: better would only be larger."""
    tables: dict[int, list[int]] = getattr(image, "quantization", {})
    if form != "JPEG" or image.mode not in {"L", "RGB"} or not tables or max(map(max, tables.values())) > 255:
        return {} if form == "PNG" else {"quality": _GOOD}
    return {"qtables": [tables[number] for number in sorted(tables)], "subsampling": get_sampling(image)}


def _mode(image: Image.Image, form: str) -> str:
    if form != "JPEG" and image.has_transparency_data:
        return "RGBA"
    return "L" if image.mode in {"1", "L", "LA"} else "RGB"


def _refusal(code: str, message: str) -> Invalid:
    return Invalid.at("/file", code, message)
