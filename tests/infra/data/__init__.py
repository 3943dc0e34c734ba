"""What holds people's data: encrypted, kept, reached by few, and deleted by nobody's mistake."""
