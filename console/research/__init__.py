"""What is looked up for a run: search engines, the guarded client, texts out of pages."""
