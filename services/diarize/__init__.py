"""Tells voices apart in chunks of audio."""
