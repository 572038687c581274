"""The list of photos, and the photo that is chosen."""
