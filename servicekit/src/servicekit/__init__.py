"""The common infrastructure of all service processes. It depends on `contracts` and contains no business rules."""
