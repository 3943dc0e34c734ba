"""Parts of the rehearsal that need no container engine and no emulator."""
