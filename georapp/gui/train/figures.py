"""Numbers of a run as people read them."""

from __future__ import annotations

import math

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_MINUS = "−"


def number(value: float) -> str:
    """Three figures: "0.714", "212", "17,020", "3.2 × 10⁻⁵"."""
    size = abs(value)
    if size == 0:
        return "0"
    if size < 0.001 or size >= 1e7:
        return _power(value)
    decimals = max(0, 2 - math.floor(math.log10(size)))
    text = f"{value:,.{min(decimals, 4)}f}"
    return _signed(text.rstrip("0").rstrip(".") if "." in text else text)


def with_unit(value: float, unit: str) -> str:
    """ "48 %", "212 km", "0.71"."""
    if unit == "%":
        value = round(value, 0 if abs(value) >= 1 else 1)
    return f"{number(value)} {unit}".rstrip()


def signed(value: float) -> str:
    """ "+0.89", "−1.21"."""
    return _signed(f"{value:+.2f}")


def _power(value: float) -> str:
    digits, _, exponent = f"{value:.2g}".partition("e") if abs(value) < 0.001 else f"{value:.1e}".partition("e")
    if not exponent:
        return _signed(digits)
    return f"{_signed(digits)} × 10{str(int(exponent)).translate(_RAISED)}"


def _signed(text: str) -> str:
    return text.replace("-", _MINUS)


def axis(values: list[float], step: float) -> list[str]:
    """Marks of an axis, all with as many decimals as their distance needs."""
    largest = max((abs(value) for value in values), default=0.0)
    if largest and (largest < 0.001 or largest >= 1e7):
        return [number(value) for value in values]
    decimals = max(0, -math.floor(math.log10(step) + 1e-9)) if step > 0 else 0
    return [_signed(f"{value:,.{min(decimals, 6)}f}") for value in values]
