"""What is made of trained genre networks: `subgenres`, from embeddings to a page."""
