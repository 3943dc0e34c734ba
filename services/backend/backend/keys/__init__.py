"""The keys of people's words: made with a person, wrapped anew in each epoch, gone with the person."""
