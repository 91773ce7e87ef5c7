"""The lazy graph: nodes, how they are built and checked, and how they are realised."""
