"""Hears words in chunks of audio."""
