"""The position in an XMP packet. XMP is XML from strangers: it is read by defusedxml, and anything odd means "no position"."""

from __future__ import annotations

import re
from xml.etree.ElementTree import ParseError

import defusedxml
from defusedxml import ElementTree

_EXIF = "{http://ns.adobe.com/exif/1.0/}"
# "48,51.504N", "48,51,30N" (XMP specification part 2, GPSCoordinate), and plain decimal degrees, which some programs write
_GPS = re.compile(r"\s*([0-9]{1,3})[, ]\s*([0-9]{1,2}(?:\.[0-9]+)?)(?:[, ]\s*([0-9]{1,2}(?:\.[0-9]+)?))?\s*([NSEW])\s*", re.ASCII)
_DECIMAL = re.compile(r"\s*[+-]?[0-9]{1,3}(?:\.[0-9]+)?\s*", re.ASCII)
MAX_PACKET = 4_000_000  # bytes


def place_in_xmp(packet: bytes | str) -> tuple[float, float] | None:
    """(latitude, longitude) as written, not checked for range; None when the packet names none or cannot be read."""
    if len(packet) > MAX_PACKET:
        return None
    text = packet.decode("utf-8", "replace") if isinstance(packet, bytes) else packet
    try:
        root = ElementTree.fromstring(text.strip("\0\ufeff \t\r\n"))
    except (ParseError, defusedxml.DefusedXmlException, ValueError):
        return None
    lat, lon = _value(root, "GPSLatitude"), _value(root, "GPSLongitude")
    return (lat, lon) if lat is not None and lon is not None else None


def _value(root: ElementTree.Element, name: str) -> float | None:
    """The value stands in an attribute or in an element of its own."""
    for element in root.iter():
        text = element.text if element.tag == _EXIF + name else element.get(_EXIF + name)
        if text is not None:
            return _degrees(text)
    return None


def _degrees(text: str) -> float | None:
    if found := _GPS.fullmatch(text):
        value = float(found[1]) + float(found[2]) / 60 + float(found[3] or 0) / 3600
        return -value if found[4] in "SW" else value
    return float(text) if _DECIMAL.fullmatch(text) else None
