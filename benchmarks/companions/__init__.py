"""What is checked inside each other package: a module each, a law each function."""
