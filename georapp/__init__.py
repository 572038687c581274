"""georapp says where a photo was taken, offline, region by region, and how sure it is."""

__version__ = "0.1.0"
