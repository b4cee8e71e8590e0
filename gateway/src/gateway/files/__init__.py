"""Files over HTTP: uploads that can be resumed, downloads with ranges."""
