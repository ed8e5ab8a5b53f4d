"""What fashionMap talks about: photos, garments, masks, embeddings, maps. No I/O."""
