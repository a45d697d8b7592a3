"""The box office of a theatre."""
