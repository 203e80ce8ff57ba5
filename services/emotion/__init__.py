"""Estimates emotion from voices and from words."""
