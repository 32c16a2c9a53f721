"""Values every other part speaks in: exact time, movies, labels, embeddings, the timeline."""
