"""Makes one Transcript of what all engines said."""
