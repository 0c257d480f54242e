"""What people read: line-ups and rows on the terminal, progress, generated documents and pictures."""
