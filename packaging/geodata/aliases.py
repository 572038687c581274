"""What people and models call a country."""

from __future__ import annotations

import re

# Languages whose names of countries are taken from Unicode's CLDR.
LANGUAGES = re.findall(
    r"\w+",
    "en fr de es it pt nl da sv nb fi is et lv lt pl cs sk sl hr sr bs mk sq bg ro hu el tr ru uk be ka hy az kk uz ky mn "
    "ar fa ur he hi bn ta te kn ml mr gu pa ne si my th lo km vi id ms tl zh zh_Hant ja ko sw am af ca eu gl ga cy",
)

# Names that none of the sources has, or that several countries would claim: ISO code -> names.
ALIASES = {
    "AE": ("UAE", "U.A.E.", "Emirates"),
    "BA": ("Bosnia", "BiH"),
    "BO": ("Plurinational State of Bolivia",),
    "BN": ("Brunei Darussalam",),
    "CD": ("DR Congo", "DRC", "Congo-Kinshasa", "Zaire", "Congo, Democratic Republic of the"),
    "CG": ("Congo-Brazzaville", "Congo", "Congo, Republic of the"),
    "CI": ("Côte d'Ivoire", "Cote dIvoire"),
    "CN": ("PRC", "Mainland China", "People's Republic of China"),
    "CV": ("Cape Verde",),
    "CZ": ("Czech Republic",),
    "DE": ("Deutschland",),
    "FK": ("Islas Malvinas", "Malvinas"),
    "FM": ("Federated States of Micronesia",),
    "GB": ("UK", "U.K.", "Great Britain", "Britain", "England", "Scotland", "Wales", "Northern Ireland"),
    "GM": ("The Gambia",),
    "GR": ("Hellas", "Ellada"),
    "HK": ("Hong Kong SAR", "Hong Kong SAR China", "HKSAR"),
    "IE": ("Republic of Ireland", "Éire"),
    "IR": ("Islamic Republic of Iran", "Persia"),
    "KG": ("Kirghizia", "Kyrgyz Republic"),
    "KP": ("DPRK", "Democratic People's Republic of Korea"),
    "KR": ("Republic of Korea", "Korea", "ROK", "Korea, South"),
    "LA": ("Lao PDR", "Lao People's Democratic Republic"),
    "LK": ("Ceylon",),
    "MK": ("Macedonia", "FYROM"),
    "MM": ("Burma",),
    "MO": ("Macau", "Macau SAR"),
    "NL": ("Netherlands", "Holland"),
    "PS": ("Palestine", "State of Palestine", "Gaza", "West Bank", "Palestinian Territories"),
    "RU": ("Russian Federation",),
    "ST": ("São Tomé",),
    "SY": ("Syrian Arab Republic",),
    "SZ": ("Swaziland",),
    "TL": ("East Timor", "Timor-Leste"),
    "TR": ("Türkiye", "Turkiye"),
    "TW": ("Republic of China", "Chinese Taipei"),
    "TZ": ("United Republic of Tanzania",),
    "US": ("USA", "U.S.A.", "U.S.", "United States of America", "America", "The States"),
    "VA": ("Holy See", "Vatican City", "Vatican City State"),
    "VN": ("Viet Nam",),
    "XK": ("Kosova",),
}
