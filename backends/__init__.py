"""Hardware backends: each is found by its entry point, like anyone else's."""
