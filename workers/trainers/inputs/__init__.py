"""What a trainer begins with: data, random draws, first weights."""
