"""What tests of tensorlib and of its plug-ins share: strategies and conformance checks."""
