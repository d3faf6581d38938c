"""Features: one row a customer and as-of date, from rows strictly before it."""
