"""Tests of the gateway: a package, for a folder `gateway` of pytest's own making would hide the real one."""
