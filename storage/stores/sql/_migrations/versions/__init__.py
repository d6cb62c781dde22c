"""One migration step a module; a released one never changes."""
