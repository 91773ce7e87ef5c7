"""Library kernels in the kernel language, and the specs by which the graph asks for them."""
