"""The policy pack: hands what the engine shows to the pure rules of `twokeys.access`, in preview and in an update."""
