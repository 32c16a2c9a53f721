"""The path everyone walks: a film in, its timeline out."""
