"""The answer to a photo, and what a person makes of it."""
