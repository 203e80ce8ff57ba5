"""Fetches recordings and cuts their audio into chunks."""
