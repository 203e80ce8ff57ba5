"""Writes captions from a Transcript."""
