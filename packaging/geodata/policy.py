"""Which country an area gets where the sources disagree or leave it open. The words for people are in the README.

Natural Earth draws lines of actual control. Labels follow ISO 3166-1 and GeoNames: an area that has a code of its own keeps it,
and land that another state holds without being recognised stays with the country that GeoNames gives its towns to,
as far as the sources hold a line around it.
"""

from __future__ import annotations

# Natural Earth's countries without an ISO code, by ADM0_A3. None: nobody's, or claimed by several: no polygon at all.
UNCODED = {
    "SOL": "SO",  # Somaliland
    "CYN": "CY",  # Northern Cyprus
    "CNM": "CY",  # the United Nations buffer zone in Cyprus
    "ESB": "CY",  # Dhekelia, a British base: ISO has no code for it
    "WSB": "CY",  # Akrotiri, the other one
    "USG": "CU",  # Guantanamo Bay
    "KAS": "IN",  # Siachen Glacier, held by India
    "BJN": "CO",  # Bajo Nuevo Bank, administered by Colombia
    "SER": "CO",  # Serranilla Bank, administered by Colombia
    "SPI": None,  # Southern Patagonian Ice Field: the border is not drawn yet
    "BRT": None,  # Bir Tawil: claimed by nobody
    "PGA": None,  # Spratly Islands: claimed by six
    "SCR": None,  # Scarborough Reef
}

# Morocco's part of Natural Earth south of 27°40'N is Western Sahara (EH), on both sides of the berm.
WESTERN_SAHARA_NORTH = 27.0 + 40.0 / 60.0

# Natural Earth's Vatican is 100 m wide. This outline, longitude first, is drawn by hand along the walls and good to about 50 m.
VATICAN = (
    (12.4457, 41.9022),
    (12.4475, 41.9050),
    (12.4508, 41.9067),
    (12.4533, 41.9074),
    (12.4556, 41.9063),
    (12.4551, 41.9045),
    (12.4577, 41.9042),
    (12.4584, 41.9021),
    (12.4563, 41.9008),
    (12.4510, 41.9003),
    (12.4470, 41.9006),
)

# Provinces of world_map.gpkg whose country is not their iso_a2: (adm0_a3, name) -> ISO code.
PROVINCE_COUNTRY = {
    ("RUS", "Crimea"): "UA",
    ("RUS", "Sevastopol"): "UA",
    ("FRA", "Guyane française"): "GF",
    ("FRA", "Guadeloupe"): "GP",
    ("FRA", "Martinique"): "MQ",
    ("FRA", "La Réunion"): "RE",
    ("FRA", "Mayotte"): "YT",
    ("NLD", "Bonaire"): "BQ",
    ("NLD", "Saba"): "BQ",
    ("NLD", "St. Eustatius"): "BQ",
    ("NOR", "Svalbard"): "SJ",
    ("NOR", "Bouvet Island"): "BV",
    ("IOA", "Cocos (Keeling) Islands"): "CC",
    ("IOA", "Christmas Island"): "CX",
    ("CLP", "Clipperton Island"): "FR",
    ("KAB", "Baykonur lease in Qyzylorda"): "KZ",
    ("SOL", "Somaliland"): "SO",
    ("CYN", "Northern Cyprus"): "CY",
    ("ESB", "Dhekelia"): "CY",
    ("WSB", "Akrotiri"): "CY",
    ("USG", "Guantanamo Bay USNB"): "CU",
    ("KAS", "Kashmir"): "IN",
}

# Islands of a country that have an ISO code of their own but share a Natural Earth country: which answers count as the same.
SHARED_TRUTH = {
    "FR": {"GF", "GP", "MQ", "RE", "YT"},
    "NL": {"BQ"},
    "NO": {"SJ", "BV"},
    "AU": {"CC", "CX"},
    "NZ": {"TK"},
}
