"""The CrossGuard pack: it hands what the engine shows to the pure rules of `twokeys.access`."""
