"""Opens a photo: checked, hashed, upright, scaled; reads place, time and heading from its metadata. Originals are only read.

What the model gets is `Photo.pixels()`: red, green and blue values and nothing else. The metadata and the file name stay here.
"""

from __future__ import annotations

import hashlib
import io
import math
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pillow_heif
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from georapp.errors import PhotoError
from georapp.geo import Coordinate
from georapp.xmp import place_in_xmp

MAX_BYTES = 500_000_000
MAX_PIXELS = 100_000_000  # 100 megapixels: the largest cameras; a 48 KB file can claim 400
FORMATS = {  # what Pillow calls it: file endings. A file is recognised by its content, endings only choose files in folders.
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),  # 'MPO' must not be listed: the JPEG reader takes it over by itself
    "PNG": (".png",),
    "WEBP": (".webp",),
    "TIFF": (".tif", ".tiff"),
    "HEIF": (".heic", ".heif", ".hif"),
    "AVIF": (".avif",),
}
ENDINGS = frozenset(ending for endings in FORMATS.values() for ending in endings)

Image.MAX_IMAGE_PIXELS = None  # Pillow only warns up to twice its limit; `_checked_size` refuses
pillow_heif.register_heif_opener()


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the file says of itself; untrusted. `notes` are sentences about values that were not usable."""

    place: Coordinate | None = None
    place_from: str = ""  # "EXIF" or "XMP"
    taken_at: str = ""  # "2025-06-14T16:20:00+02:00"; without zone when the file names none
    heading: float | None = None  # degrees clockwise from north
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Photo:
    """A checked photo. `data` are the bytes that `sha256` was computed of, so that both speak of the same thing."""

    path: Path
    data: bytes
    sha256: str
    format: str
    width: int  # pixels, upright
    height: int
    metadata: Metadata

    def pixels(self) -> Image.Image:
        """The whole photo, upright, RGB, first frame. Raises PhotoError when the pixels cannot be decoded."""
        return _pixels(self.data, self.path)


def pixels(path: Path, data: bytes | None = None) -> Image.Image:
    """Only the pixels, decoded once: upright, RGB, first frame. `data` as for `read`. Raises PhotoError."""
    return _pixels(_bytes_of(path) if data is None else data, path)


def _pixels(data: bytes, path: Path) -> Image.Image:
    with _opened(data, path) as image:
        upright = _coloured(_upright(image, path), path)
    return Image.frombytes("RGB", upright.size, upright.tobytes())  # a new picture has no metadata to carry along


def read(path: Path, data: bytes | None = None) -> Photo:
    """Open and check one photo. `data`: its bytes, where `path` names no file of its own.

    Raises PhotoError with a sentence: missing, not a file, too large, not a photo, too many pixels, cut off.
    """
    data = _bytes_of(path) if data is None else data
    with _opened(data, path) as image:
        name = image.format or "unknown"
        metadata = _read_metadata(image)
        upright = _upright(image, path)  # decodes the pixels, so that a file that was cut off is noticed now
    width, height = upright.size
    return Photo(path, data, hashlib.sha256(data).hexdigest(), name, width, height, metadata)


def find(paths: list[Path]) -> Iterator[tuple[Path, PhotoError | None]]:
    """Files as they are, and the photos in folders, also in folders in them, by name; a closed folder comes with its error."""
    levels = [iter(paths)]  # not a function in itself: folders may lie deeper in each other than Python calls may
    while levels:
        path = next(levels[-1], None)
        if path is None:
            levels.pop()
        elif _is_folder(path):
            if len(levels) > 1 and path.is_symlink():  # it may lead back to where it lies
                continue
            try:
                levels.append(iter(sorted(path.iterdir())))
            except OSError as error:
                yield (
                    path,
                    PhotoError(f"The folder {path} cannot be opened: {_why(error)}.", hint="Check who may read the folder."),
                )
        elif len(levels) == 1 or (path.suffix.lower() in ENDINGS and not path.name.startswith("._")):
            yield path, None


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # it lies in a folder that may not be entered: `read` will say so
        return False


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _bytes_of(path: Path) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # a pipe would wait for ever
            raise PhotoError(f"{path} is not a file.", hint="Name a photo or a folder of photos.")
        if status.st_size > MAX_BYTES:
            raise PhotoError(f"{path} has {status.st_size / 1e6:.0f} MB, more than the limit of {MAX_BYTES / 1e6:.0f} MB.")
        if status.st_size == 0:
            raise PhotoError(f"{path} is empty.")
        return path.read_bytes()
    except OSError as error:
        raise PhotoError(f"{path} cannot be opened: {_why(error)}.") from error
    except ValueError as error:  # a name with a null character
        raise PhotoError(f"{str(path)!r} is not a possible file name.") from error


def _opened(data: bytes, path: Path) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(data), formats=list(FORMATS))
    except UnidentifiedImageError as error:
        known = "JPEG, PNG, WebP, TIFF, HEIC and AVIF"
        raise PhotoError(f"{path} is not a photo that can be read, or it is damaged.", hint=f"{known} can be read.") from error
    except Exception as error:
        raise PhotoError(f"{path} is damaged: its head cannot be read.") from error
    _checked_size(image.size, path)
    return image


def _checked_size(size: tuple[int, int], path: Path) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise PhotoError(
            f"{path} claims {width} x {height} pixels, more than the limit of {MAX_PIXELS // 1_000_000} million.",
            hint="Scale the photo down in another program.",
        )
    if width < 8 or height < 8:
        raise PhotoError(f"{path} has only {width} x {height} pixels; nothing can be seen in it.")


def _upright(image: Image.Image, path: Path) -> Image.Image:
    """Rotated by its EXIF orientation. HEIC files arrive upright already, with that tag cleared."""
    try:
        image.load()
    except Exception as error:
        raise PhotoError(f"{path} is damaged or cut off: its pixels cannot be decoded.") from error
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # noqa: BLE001 - broken EXIF must not cost the photo
        return image


def _coloured(image: Image.Image, path: Path) -> Image.Image:
    """Raises PhotoError for pixels that Pillow knows how to read and not how to turn into red, green and blue."""
    try:
        return _rgb(image)
    except MemoryError as error:
        raise PhotoError(f"{path} needs more memory than there is.", hint="Close other programs, or scale it down.") from error
    except Exception as error:
        hint = "Save it as a JPEG or PNG in another program."
        raise PhotoError(f"{path} has colours of a kind that cannot be shown: {image.mode}.", hint=hint) from error


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):  # convert() would cut 16 bits off at 255
        _low, high = image.convert("F").getextrema()
        scale = 255 / 65535 if isinstance(high, float) and high > 255 else 1
        return image.convert("F").point(lambda value: value * scale).convert("L").convert("RGB")
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, (255, 255, 255, 255))
        return Image.alpha_composite(ground, image).convert("RGB")
    return image.convert("RGB")


def _read_metadata(image: Image.Image) -> Metadata:
    notes: list[str] = []
    try:
        exif = image.getexif()
        gps = dict(exif.get_ifd(ExifTags.IFD.GPSInfo))
        details = dict(exif.get_ifd(ExifTags.IFD.Exif))
        place = _gps_place(gps, notes)
        heading = _number(gps.get(ExifTags.GPS.GPSImgDirection))
        taken_at = _time(details)
    except Exception:  # noqa: BLE001 - Pillow raises many things on broken EXIF; none may cost the photo
        return Metadata(notes=("The EXIF data is damaged and was left out.",))
    source = "EXIF" if place else ""
    if place is None and (xmp := image.info.get("xmp")):
        place = _plausible(place_in_xmp(xmp), notes)
        source = "XMP" if place else ""
    return Metadata(place, source, taken_at, heading % 360 if heading is not None else None, tuple(notes))


def _gps_place(gps: dict[int, Any], notes: list[str]) -> Coordinate | None:
    lat = _angle(gps.get(ExifTags.GPS.GPSLatitude), gps.get(ExifTags.GPS.GPSLatitudeRef), "S")
    lon = _angle(gps.get(ExifTags.GPS.GPSLongitude), gps.get(ExifTags.GPS.GPSLongitudeRef), "W")
    return _plausible((lat, lon) if lat is not None and lon is not None else None, notes)


def _plausible(pair: tuple[float, float] | None, notes: list[str]) -> Coordinate | None:
    if pair is None:
        return None
    lat, lon = pair
    if lat == 0 and lon == 0:
        notes.append("The photo's own position is (0, 0), which cameras write when they do not know; it was left out.")
        return None
    try:
        return Coordinate(lat, lon)
    except ValueError:
        notes.append(f"The photo's own position ({lat:g}, {lon:g}) is impossible and was left out.")
        return None


def _angle(parts: Any, reference: Any, negative: str) -> float | None:
    """Degrees, minutes and seconds, as three rationals, to signed degrees."""
    try:
        numbers = [_number(part) for part in parts]
    except TypeError:
        return None
    known = [number for number in numbers if number is not None]
    if not known or len(known) != len(numbers) or len(known) > 3:
        return None
    degrees = math.fsum(number / float(60**i) for i, number in enumerate(known))
    letter = reference.decode("ascii", "replace") if isinstance(reference, bytes) else str(reference or "")
    return -degrees if letter.strip("\0 ").upper().startswith(negative) else degrees


def _number(value: Any) -> float | None:
    """A finite number, or None: EXIF rationals may be 0/0 or text."""
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _time(details: dict[int, Any]) -> str:
    """ "2025:06:14 16:20:00" and "+02:00" to ISO 8601; empty when the file does not say."""
    value = details.get(ExifTags.Base.DateTimeOriginal) or details.get(ExifTags.Base.DateTimeDigitized)
    if not isinstance(value, str):
        return ""
    date, _, clock = value.strip("\0 ").partition(" ")
    parts = [*date.split(":"), *clock.split(":")]
    if len(parts) != 6 or not all(part.isascii() and part.isdigit() for part in parts) or parts[0] == "0000":
        return ""
    zone = details.get(ExifTags.Base.OffsetTimeOriginal)
    zone = zone.strip("\0 ") if isinstance(zone, str) else ""
    well_formed = len(zone) == 6 and zone[0] in "+-" and zone[3] == ":" and (zone[1:3] + zone[4:]).isdigit()
    return f"{'-'.join(parts[:3])}T{':'.join(parts[3:])}{zone if well_formed else ''}"


def scaled_to(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Exactly (width, height), without keeping the proportions: nothing is cut off. The same in training and in use."""
    return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0)
