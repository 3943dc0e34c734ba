"""The proof: what it computes from templates, held against what is known of them."""
