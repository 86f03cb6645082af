"""A local e-conomic: classic REST at the root and the OpenAPI services beside it, over real HTTP on loopback."""
