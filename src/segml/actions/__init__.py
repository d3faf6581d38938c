"""What to do about whom: decisions and the call list."""
