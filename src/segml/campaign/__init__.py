"""The command that plans, assigns and measures a campaign test."""
