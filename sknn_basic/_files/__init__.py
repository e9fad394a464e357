"""Images and labels in files, and names from files as text."""
